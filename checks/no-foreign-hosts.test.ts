import { expect, test } from 'vitest'
import { readTracked, trackedFiles } from './lib/tracked-files.ts'

const binary = /\.(png|jpe?g|webp|ico|woff2?|ttf|tar|gz|zst)$/
const texts = trackedFiles().filter((path) => !binary.test(path) && path !== 'LICENSE')

/** Registries and folders of one machine have no place in a repository that builds anywhere. Written in parts, so that this file is none of them. */
const ofOneMachine = [
  ['registry', 'npmjs'].join('.'),
  ['deb', 'debian'].join('.'),
  ['', 'work', ''].join('/'),
  ['', 'farm', ''].join('/'),
  ['', 'root', ''].join('/'),
]

test('no file names a package registry or a folder of one machine', () => {
  const found = texts.flatMap((path) => {
    const text = readTracked(path)
    return ofOneMachine.filter((word) => text.includes(word)).map((word) => `${path}: ${word}`)
  })
  expect(found).toEqual([])
})

/** Names that stand for a standard or an example, and are never asked for anything. */
const onlyNames =
  /^([\w-]+|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|www\.w3\.org|json-schema\.org|[\w.-]*\bexample(\.(com|org|net))?|[\w.-]+\.(test|invalid|localhost))$/

/** Addresses in what runs: whatever is not configured by the operator must not be in the program. */
function hostsIn(path: string): string[] {
  return Array.from(readTracked(path).matchAll(/\bhttps?:\/\/([a-z0-9[][\w.:[\]-]*)/gi), ([, host = '']) =>
    host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase(),
  )
}

test('no program, page or style knows a foreign host', () => {
  const running = texts.filter(
    (path) => /^packages\/.*\.(ts|tsx|mjs|js|css|html|svg)$/.test(path) && !path.includes('.test.'),
  )
  const foreign = running.flatMap((path) =>
    hostsIn(path)
      .filter((host) => !onlyNames.test(host))
      .map((host) => `${path}: ${host}`),
  )
  expect(foreign).toEqual([])
})
