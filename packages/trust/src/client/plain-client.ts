import { Updater } from 'tuf-js'

/** Folders and addresses as the conformance suite of TUF names them. */
export interface PlainClientOptions {
  readonly metadataDir: string
  readonly metadataUrl: string
  readonly targetDir?: string
  readonly targetUrl?: string
}

/**
 * The TUF client as published, without any guard of ours: for the conformance suite, which asks whether the standard is
 * kept. Devices never use it. Throws when the metadata does not verify.
 */
export async function refreshPlainly(options: PlainClientOptions): Promise<void> {
  await updaterOf(options).refresh()
}

/** Downloads targets by their names after a refresh; throws for the first that nobody signed. */
export async function downloadPlainly(options: PlainClientOptions, names: readonly string[]): Promise<void> {
  const updater = updaterOf(options)
  await updater.refresh()
  for (const name of names) {
    const target = await updater.getTargetInfo(name)
    if (!target) throw new Error(`${name} is not in the metadata`)
    await updater.downloadTarget(target)
  }
}

function updaterOf({ metadataDir, metadataUrl, targetDir, targetUrl }: PlainClientOptions): Updater {
  return new Updater({
    metadataDir,
    metadataBaseUrl: metadataUrl,
    ...(targetDir === undefined ? {} : { targetDir }),
    ...(targetUrl === undefined ? {} : { targetBaseUrl: targetUrl }),
  })
}
