import { canonicalJson } from '@bascule/trust/canonical.ts'
import { keyIdOf, sha256Hex, verifyHex } from '@bascule/trust/keys.ts'
import {
  aRelease,
  boardQuorums,
  honestWorld,
  members,
  nextVersion,
  publicOf,
  publishInto,
  type World,
} from '@bascule/trust/testing/world.ts'
import { buildBoard } from '@bascule/trust/tuf/build.ts'
import type { RoleSigned } from '@bascule/trust/tuf/documents.ts'
import { makeDraft, type RoleDecision, verifiedVersionOf } from '@bascule/trust/tuf/draft.ts'
import type { Page } from '@playwright/test'
import type { Bascule } from './harness/bascule.ts'
import { pageProblems } from './harness/page-problems.ts'
import { giveAuthenticator, keepSigningWindow } from './harness/passkey.ts'
import { expect, test } from './harness/test.ts'

const role = 'retail.pos'
const label = 'Phone of Mona'

test('a key is made and unlocked by a passkey, and signs exactly the decision that the page has checked itself', async ({
  page,
  bascule,
}) => {
  const board = await givenBoardFiles(page, bascule)
  await keepSigningWindow(page.context())
  const signPage = await openSignPage(page, bascule)
  const authenticator = await giveAuthenticator(signPage)
  const made = await test.step('the page makes a key that only the passkey unlocks', async () => {
    await ask(page, { type: 'make-key', label, personName: 'Mona Lund' })
    await expect(signPage.getByRole('heading', { level: 1 })).toHaveText('Make a signing key')
    expect(await pageProblems(signPage)).toEqual([])
    await signPage.getByRole('button', { name: 'Make passkey' }).click()
    const key = await answerOf<KeyAnswer>(page)
    expect(key.type).toBe('key')
    const proof = `bascule-member-key-v1\n${key.publicKey}\n2\n${label}`
    expect(verifyHex(key.publicKey, proof, key.proof)).toBe(true)
    expect(JSON.stringify(key)).not.toContain('"prf"')
    return key
  })
  const memberKey = {
    keyId: keyIdOf(made.publicKey),
    publicKey: made.publicKey,
    level: 2,
    label,
    wrapped: made.wrapped,
  }
  board.take(made.publicKey)

  await test.step('after a reload it shows the decision, and a click that no person made signs nothing', async () => {
    await openAgain(page, bascule, signPage)
    const before = await authenticator.uses()
    await ask(page, { type: 'sign', draft: board.draft(), caseTitle: 'till 4.3', key: memberKey })
    await expect(signPage.getByRole('heading', { level: 1 })).toHaveText('What your signature means')
    await expect(signPage.getByText('GO: REL-0003 (pos) may go out to the devices.')).toBeVisible()
    await expect(signPage.getByText('with till 1')).toBeVisible()
    await expect(signPage.getByText('sees these boards for the first time')).toBeVisible()
    await expect(signPage.locator('.anchor code')).toHaveText(
      board
        .anchor()
        .match(/.{1,8}/g)
        ?.join(' ') ?? '',
    )
    expect(await pageProblems(signPage)).toEqual([])
    // A click that is heard switches the button off at once.
    await signPage.evaluate("document.querySelector('button.primary').click()")
    expect(await signPage.getByRole('button', { name: 'Sign with passkey' }).isEnabled()).toBe(true)
    expect(await authenticator.uses()).toBe(before)
    expect(await heard(page)).toEqual([{ type: 'ready' }])
  })

  await test.step('a touch makes an ordinary signature over the draft', async () => {
    await signPage.getByRole('button', { name: 'Sign with passkey' }).click()
    const answer = await answerOf<SignedAnswer>(page)
    expect(answer).toMatchObject({ type: 'signed', draftId: board.draft().id })
    expect(answer.signatures).toHaveLength(1)
    const [{ role: signedRole, keyid, sig } = noSignature] = answer.signatures
    expect([signedRole, keyid]).toEqual([role, keyIdOf(made.publicKey)])
    expect(verifyHex(made.publicKey, canonicalJson(board.draft().documents[0]?.signed), sig)).toBe(true)
  })

  await test.step('one entry more than was decided is refused, and no signature leaves', async () => {
    await openAgain(page, bascule, signPage)
    const before = await authenticator.uses()
    await ask(page, { type: 'sign', draft: board.draftWithOneMore(), caseTitle: 'till 4.3', key: memberKey })
    await expect(signPage.getByRole('heading', { level: 1 })).toHaveText('Do not sign this')
    await expect(signPage.getByRole('alert')).toContainText('REL-0009.json')
    await expect(signPage.getByRole('button', { name: 'Sign with passkey' })).toBeHidden()
    expect(await answerOf(page)).toMatchObject({
      type: 'refused',
      refusal: { rule: 'draft-is-the-decision-and-nothing-else' },
    })
    expect(await authenticator.uses()).toBe(before)
  })

  await test.step('boards that go back to what they were before are refused, because the page remembers', async () => {
    board.goBack()
    await openAgain(page, bascule, signPage)
    await ask(page, { type: 'sign', draft: board.draft(), caseTitle: 'till 4.3', key: memberKey })
    expect(await answerOf(page)).toMatchObject({ type: 'refused', refusal: { rule: 'nothing-goes-back' } })
  })

  await test.step('a no-go is signed as a statement, which is no role file', async () => {
    await openAgain(page, bascule, signPage)
    const signed = { ...statement, by: memberKey.keyId }
    await ask(page, { type: 'say', signed, caseTitle: 'till 4.3', key: memberKey })
    await expect(signPage.getByText('NO-GO for release 7.')).toBeVisible()
    await signPage.getByRole('button', { name: 'Sign with passkey' }).click()
    const { signature } = await answerOf<SaidAnswer>(page)
    expect(verifyHex(made.publicKey, canonicalJson(signed), signature.sig)).toBe(true)
  })

  await test.step('a role file is never signed as if it were a statement', async () => {
    await openAgain(page, bascule, signPage)
    const { signed } = board.draft().documents[0] ?? {}
    await ask(page, { type: 'say', signed, caseTitle: 'till 4.3', key: memberKey })
    expect(await answerOf(page)).toMatchObject({ type: 'refused', refusal: { rule: 'statement-has-a-form' } })
  })

  await test.step('a record of another key does not open with this passkey', async () => {
    await openAgain(page, bascule, signPage)
    const key = { ...memberKey, publicKey: members[0]?.publicKey }
    await ask(page, { type: 'say', signed: { ...statement, by: members[0]?.keyId }, caseTitle: 'till 4.3', key })
    await signPage.getByRole('button', { name: 'Sign with passkey' }).click()
    expect(await answerOf(page)).toMatchObject({ type: 'refused', refusal: { rule: 'wrapped-key-is-the-key' } })
  })

  await test.step('who closes the page has cancelled', async () => {
    await openAgain(page, bascule, signPage)
    await ask(page, { type: 'make-key', label, personName: 'Mona Lund' })
    await signPage.getByRole('button', { name: 'Cancel' }).click()
    expect(await answerOf(page)).toEqual({ type: 'cancelled' })
  })
})

test('an authenticator without secrets is told so, with what to do instead', async ({ page, bascule }) => {
  const signPage = await openSignPage(page, bascule)
  await giveAuthenticator(signPage, { hasSecrets: false })
  await ask(page, { type: 'make-key', label, personName: 'Mona Lund' })
  await signPage.getByRole('button', { name: 'Make passkey' }).click()
  await expect(signPage.getByRole('alert')).toContainText('no PRF extension')
  expect(await answerOf(page)).toMatchObject({ type: 'refused', refusal: { rule: 'passkey-keeps-a-secret' } })
})

test('a window of another origin is not heard', async ({ page, bascule }) => {
  // The same machine and the same name, and yet another origin: its port.
  const stranger = 'http://localhost:59999'
  await page.route(`${stranger}/**`, async (route) => {
    await route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Stranger</title>' })
  })
  await page.goto(`${stranger}/`)
  const signPage = await openWindow(page, signUrlOf(bascule))
  await expect(signPage.getByRole('heading', { level: 1 })).toHaveText('Waiting for the application')
  await ask(page, { type: 'make-key', label, personName: 'Mona Lund' })
  // Messages are delivered in order: a later one that the page does answer to itself comes after ours.
  await signPage.evaluate(
    "new Promise((heard) => { addEventListener('message', heard, { once: true }); postMessage('after', '*') })",
  )
  await expect(signPage.getByRole('heading', { level: 1 })).toHaveText('Waiting for the application')
  expect(await heard(page)).toEqual([{ type: 'ready' }])
})

test('opened by nobody the page says what it is for, and the application does not have it', async ({
  page,
  bascule,
}) => {
  await page.goto(signUrlOf(bascule))
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing to sign')
  expect(await pageProblems(page)).toEqual([])
  const build = (await (await page.request.get(`${bascule.url}/sign-build.json`)).json()) as {
    url: string
    files: Record<string, string>
  }
  expect(build.url).toBe(new URL(signUrlOf(bascule)).origin)
  for (const [path, sha256] of Object.entries(build.files)) {
    // As whoever compares would: the bytes that this origin really hands out.
    const bytes = await page.evaluate<number[]>(
      `fetch('/${path}').then(async (file) => [...new Uint8Array(await file.arrayBuffer())])`,
    )
    expect(sha256Hex(Uint8Array.from(bytes)), path).toBe(sha256)
  }
})

interface KeyAnswer {
  readonly type: string
  readonly publicKey: string
  readonly proof: string
  readonly wrapped: object
}
interface SignedAnswer {
  readonly signatures: readonly { readonly role: string; readonly keyid: string; readonly sig: string }[]
}
interface SaidAnswer {
  readonly signature: { readonly sig: string }
}
const noSignature = { role: '', keyid: '', sig: '' }

const statement = {
  _type: 'bascule-statement',
  specVersion: 1,
  kind: 'no-go',
  at: '2026-11-23T08:00:00Z',
  release: '7',
  manifestSha256: null,
  reason: 'It loses sales.',
  case: 'C-1',
}

/** Serves the files of a board that takes the key later, in place of a server that has none yet. */
async function givenBoardFiles(page: Page, { url }: Bascule) {
  const at = Temporal.Now.instant()
  const before = honestWorld(at)
  const release = aRelease({ counter: 3 })
  let world: World = before
  const signOrigin = new URL(signUrlOf({ url })).origin
  await page.context().route(`${signOrigin}/tuf/*`, async (route) => {
    const bytes = world.files.get(decodeURIComponent(new URL(route.request().url()).pathname.slice('/tuf/'.length)))
    await (bytes === undefined
      ? route.fulfill({ status: 404, json: {} })
      : route.fulfill({ contentType: 'application/json', body: Buffer.from(bytes) }))
  })
  await page.context().route(`${signOrigin}/blobs/sha256/${release.sha256}`, async (route) => {
    await route.fulfill({ contentType: 'application/octet-stream', body: Buffer.from(release.bytes) })
  })
  const draftOf = (change: (signed: object) => object = (signed) => signed) => {
    const { path, target } = release
    const decision: RoleDecision = { kind: 'go', path, target, retires: [], returns: [] }
    const made = makeDraft(verifiedVersionOf(role, signedOf(world)), decision, at)
    if (!made.ok) throw new Error(made.error.fact)
    return { id: 'draft-1', documents: [{ role, decision, signed: change(made.value), signatures: [] }] }
  }
  const more = aRelease({ counter: 9 })
  return {
    anchor: () => sha256Hex(before.files.get('1.root.json') ?? ''),
    draft: () => draftOf(),
    draftWithOneMore: () =>
      draftOf((signed) => ({ ...signed, targets: { ...Reflect.get(signed, 'targets'), [more.path]: more.target } })),
    take(publicKey: string) {
      const quorum = { publicKeys: [...publicOf(members), publicKey], threshold: 2 }
      const board = nextVersion<RoleSigned>(
        before,
        'retail',
        ({ version }) => buildBoard({ version, at }, { ...boardQuorums(), [role]: quorum }),
        members,
      )
      world = publishInto(before, { retail: board })
    },
    goBack() {
      world = before
    },
  }
}

function signedOf({ state }: World): RoleSigned {
  const document = state.roles[role]
  if (document === undefined) throw new Error(`${role} is not there`)
  return document.signed
}

function signUrlOf({ url }: Pick<Bascule, 'url'>): string {
  return `http://sign.localhost:${new URL(url).port}/sign.html`
}

/** A page of the application that opens the signing page: empty, with the real headers of the application. */
async function openSignPage(page: Page, bascule: Bascule): Promise<Page> {
  await page.route(`${bascule.url}/opener`, async (route) => {
    const response = await route.fetch({ url: `${bascule.url}/` })
    await route.fulfill({ response, body: '<!doctype html><html lang="en"><title>Opener</title></html>' })
  })
  await page.goto(`${bascule.url}/opener`)
  return await openWindow(page, signUrlOf(bascule))
}

async function openWindow(page: Page, url: string): Promise<Page> {
  const [opened] = await Promise.all([page.waitForEvent('popup'), page.evaluate(listenAndOpen(url))])
  await expect.poll(() => heard(page)).toEqual([{ type: 'ready' }])
  return opened
}

/** The same window once more, as the application opens it by its name. */
async function openAgain(page: Page, bascule: Bascule, signPage: Page): Promise<void> {
  await page.evaluate('globalThis.heard = []')
  await Promise.all([
    signPage.waitForEvent('load'),
    page.evaluate(`globalThis.signPage.location.href = ${JSON.stringify(`${signUrlOf(bascule)}?${Date.now()}`)}`),
  ])
  await expect.poll(async () => (await heard(page)).at(-1)).toEqual({ type: 'ready' })
  await page.evaluate("globalThis.heard = [{ type: 'ready' }]")
}

function listenAndOpen(url: string): string {
  return `{
    globalThis.heard = []
    addEventListener('message', ({ data, source }) => { if (source === globalThis.signPage) globalThis.heard.push(data) })
    globalThis.signPage = open(${JSON.stringify(url)}, 'bascule-sign', 'popup,width=520,height=760')
  }`
}

async function ask(page: Page, message: object): Promise<void> {
  await page.evaluate(`globalThis.signPage.postMessage(${JSON.stringify(message)}, '*')`)
}

async function heard(page: Page): Promise<unknown[]> {
  return await page.evaluate<unknown[]>('globalThis.heard')
}

async function answerOf<T>(page: Page): Promise<T & { readonly type: string }> {
  await expect.poll(async () => (await heard(page)).length).toBe(2)
  return (await heard(page))[1] as T & { readonly type: string }
}
