import type { MetadataReturn } from '@bascule/contract/device/protocol.ts'
import type { Services } from '#/platform/feature.ts'
import '#/decide/authority/signed-repository.ts'

/** Gives the signer what a device has kept, and hands out what the signer publishes again because of it. */
export async function recoverMetadata(
  { signer, repository, log }: Pick<Services, 'signer' | 'repository' | 'log'>,
  files: MetadataReturn['files'],
): Promise<void> {
  const recovered = await signer.recover(files)
  if (!recovered.ok) {
    log.warn({ refusal: recovered.error }, 'the signer does not publish again what devices have returned')
    return
  }
  const { files: published, missing } = recovered.value
  if (published.length > 0) {
    log.info({ files: published.map(({ name }) => name) }, 'signed files that were lost came back from devices')
    await repository.refresh()
  } else if (missing.length > 0) {
    log.info({ missing }, 'signed files are lost, and no device has returned them yet')
  }
}
