import type { ModuleRule } from '@bascule/domain/estate/package/choose-modules.ts'
import { normaliseArch, type VariantCondition } from '@bascule/domain/estate/package/choose-variant.ts'
import type { PackageConflict, PackageRequirements } from '@bascule/domain/estate/package/requirements.ts'
import { problemOfTreePath } from '@bascule/domain/estate/package/tree-path.ts'
import { isVersion, parseVersionRange } from '@bascule/domain/estate/package/version.ts'
import * as z from 'zod'
import { sha256Hex } from '../device/protocol.ts'

/**
 * What an author writes in `bascule.yaml`, and what remains of it in the OCI config (`PackageRecipe`). Unknown fields
 * are refused by name: a misspelt `conflict` must not be a package without conflicts.
 */

/** Names of packages, variants, modules and roles: lower-case words, so that they are safe in a path and a query. */
export const packageName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, 'is not a name (lower-case letters, digits, dots and dashes, at most 60)')

export const versionText = z.string().max(100).refine(isVersion, 'is not a version, for example 1.4.2 or 10.0.19045')

export const versionRange = z
  .string()
  .max(200)
  .superRefine((text, context) => {
    const range = parseVersionRange(text)
    if (!range.ok) context.addIssue(`"${range.error}" is not a version range, for example ">=12 <13"`)
  })

/** A path inside the installed tree. */
export const treePath = z.string().superRefine((path, context) => {
  const problem = problemOfTreePath(path)
  if (problem !== undefined) context.addIssue(`"${path.slice(0, 100)}" ${problem}`)
})

export const VariantWhen = z.strictObject({
  os: z.enum(['linux', 'windows', 'darwin']).optional(),
  id: z.array(packageName).min(1).max(50).optional(),
  version: versionRange.optional(),
  arch: z.array(z.string().max(30).transform(normaliseArch)).min(1).max(20).optional(),
}) satisfies z.ZodType<VariantCondition>
export type VariantWhen = z.infer<typeof VariantWhen>

/** `*` is everybody. */
export const roleSelector = z.union([z.literal('*'), packageName])

export const PackageModule = z.strictObject({
  name: packageName,
  roles: z.array(roleSelector).min(1).max(100),
  default: z.boolean(),
}) satisfies z.ZodType<ModuleRule>
export type PackageModule = z.infer<typeof PackageModule>

const SoftwareRequired = z.strictObject({
  name: packageName,
  version: versionRange.optional(),
  onMissing: z.enum(['wait', 'fail']).default('fail'),
})

export const Requirements = z.strictObject({
  freeDiskBytes: z.int().min(0),
  rights: z.array(packageName).max(20),
  software: z.array(SoftwareRequired).max(100),
}) satisfies z.ZodType<PackageRequirements>

const Conflict = z.strictObject({
  name: packageName,
  version: versionRange.optional(),
}) satisfies z.ZodType<PackageConflict>

/** Kinds of installers. A later kind is a new member here and a new installer in the agent; nothing else. */
export const Install = z.discriminatedUnion('type', [z.strictObject({ type: z.literal('tree') })], {
  error: (issue) =>
    issue.code === 'invalid_union'
      ? 'is not a kind of installation that this version knows; it knows: tree'
      : undefined,
})
export type Install = z.infer<typeof Install>

/** All must hold for the software to count as present. Without any, the files of the package are the detection. */
const Detection = z.strictObject({
  file: treePath,
  sha256: sha256Hex.optional(),
})

export const HealthCheck = z.strictObject({
  /** An executable inside the tree, started without a shell in the folder of the version. Exit code 0 is healthy. */
  run: treePath,
  args: z.array(z.string().max(1000)).max(50).default([]),
  settleSeconds: z.int().min(0).max(3600).default(0),
  timeoutSeconds: z.int().min(1).max(3600).default(30),
})
export type HealthCheck = z.infer<typeof HealthCheck>

export const Verify = z
  .strictObject({
    /** 0 delivered, 2 present, 3 every file intact, 4 works. A release may ask for more, never for less. */
    level: z.union([z.literal(0), z.literal(2), z.literal(3), z.literal(4)]),
    health: HealthCheck.optional(),
  })
  .refine((verify) => verify.level < 4 || verify.health !== undefined, {
    path: ['health'],
    message: 'is missing: level 4 needs a health command',
  })

export const returnOutcomes = [
  'ok',
  'packageInUse',
  'packageInUseByApplication',
  'installInProgress',
  'fileInUse',
  'missingDependency',
  'diskFull',
  'insufficientMemory',
  'invalidParameter',
  'noNetwork',
  'contactSupport',
  'rebootRequiredToFinish',
  'rebootRequiredForInstall',
  'rebootInitiated',
  'cancelledByUser',
  'alreadyInstalled',
  'downgrade',
  'blockedByPolicy',
  'systemNotSupported',
  'custom',
] as const

/** A text per language, English at least. */
const texts = z.record(z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'is not a language'), z.string().max(2000))

const UiText = z.strictObject({
  title: texts.optional(),
  why: texts.optional(),
  training: z.url().max(500).optional(),
  durationMinutes: z.int().min(0).max(10_000).optional(),
})

const describing = {
  /** Class of the configuration item in the CMDB, for example `application`. */
  class: packageName,
  supersedes: z.array(Conflict).max(100),
}

const behaviour = {
  conflicts: z.array(Conflict).max(100),
  install: Install,
  detect: z.array(Detection).max(100),
  verify: Verify,
  rollback: z.strictObject({ mode: z.enum(['switch', 'none']) }),
  /** Also the recipe for decommissioning. */
  uninstall: z.strictObject({ keepData: z.boolean() }),
  returnCodes: z.record(z.string().regex(/^-?[0-9]{1,10}$/, 'is not an exit code'), z.enum(returnOutcomes)),
  uiText: UiText,
}

/** The recipe as the device reads it: every default filled in, sizes in bytes. */
export const PackageRecipe = z.strictObject({
  ...describing,
  modules: z.array(PackageModule).min(1).max(100),
  requires: Requirements,
  ...behaviour,
})
export type PackageRecipe = z.infer<typeof PackageRecipe>

const sizeUnits = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 } as const

/** `600MB`, `1.5 GiB` or a plain number of bytes. */
const size = z.union([z.int().min(0), z.string()]).transform((value, context) => {
  if (typeof value === 'number') return value
  const match = /^(?<amount>[0-9]+(?:\.[0-9]+)?) ?(?<unit>[kKMG]?i?B)$/.exec(value)?.groups
  const unit = sizeUnits[match?.['unit'] as keyof typeof sizeUnits] as number | undefined
  if (match !== undefined && unit !== undefined) return Math.ceil(Number(match['amount']) * unit)
  context.addIssue(`"${value}" is not a size, for example 600MB`)
  return z.NEVER
})

/** A file or folder beside `bascule.yaml`. */
const sourcePath = treePath

/** The file an author writes. */
export const PackageSpec = z.strictObject({
  apiVersion: z.literal('bascule.dev/package/v1'),
  name: packageName,
  vendor: z.string().min(1).max(200),
  version: versionText,
  class: describing.class.default('application'),
  supersedes: describing.supersedes.default([]),
  variants: z
    .array(
      z.strictObject({
        id: packageName,
        when: VariantWhen.default({}),
        modules: z.record(packageName, sourcePath).refine((modules) => Object.keys(modules).length > 0, 'is empty'),
      }),
    )
    .min(1)
    .max(50),
  /** Modules that are not named here go to everybody. */
  modules: z
    .record(
      packageName,
      z.strictObject({ roles: z.array(roleSelector).min(1).max(100).default(['*']), default: z.boolean().optional() }),
    )
    .default({}),
  requires: z
    .strictObject({
      freeDisk: size.default(0),
      rights: Requirements.shape.rights.default([]),
      software: Requirements.shape.software.default([]),
    })
    .prefault({}),
  conflicts: behaviour.conflicts.default([]),
  install: behaviour.install,
  detect: behaviour.detect.default([]),
  verify: behaviour.verify,
  rollback: behaviour.rollback.default({ mode: 'switch' }),
  uninstall: behaviour.uninstall.default({ keepData: true }),
  returnCodes: behaviour.returnCodes.default({}),
  uiText: behaviour.uiText.default({}),
})
export type PackageSpec = z.infer<typeof PackageSpec>
