import { annotationNames, mediaTypes } from '@bascule/contract/estate/oci.ts'
import type { VariantWhen } from '@bascule/contract/estate/package-spec.ts'
import type { BlobRef } from './layout.ts'

export interface IndexedVariant {
  readonly id: string
  readonly when: VariantWhen
  readonly manifest: BlobRef
}

/**
 * The image index of a version, as text whose hash names the version. Registry tools written in Go (skopeo among them)
 * write an index anew when they copy it, so this is byte for byte what they write: their order of fields, their order
 * of annotations, their escapes, and no field that older ones do not know, such as `artifactType`.
 */
export function packageIndexText(
  { name, version, vendor }: { readonly name: string; readonly version: string; readonly vendor: string },
  variants: readonly IndexedVariant[],
): string {
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: variants.map(({ id, when, manifest: { mediaType, digest, size } }) => ({
      mediaType,
      digest,
      size,
      annotations: { [annotationNames.variant]: id },
      platform: platformOf(when),
    })),
    annotations: {
      [annotationNames.title]: name,
      [annotationNames.vendor]: vendor,
      [annotationNames.version]: version,
    },
  }
  return JSON.stringify(index).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** A hint for registries and their tools; the device reads the condition in the config instead. */
function platformOf({ os, arch }: VariantWhen) {
  const architecture = arch?.[0]
  return os === undefined || architecture === undefined ? undefined : { architecture, os }
}
