import { ok, refuse, type Result } from '#/lib/result.ts'
import { textFact, type PackageFacts } from './package-facts.ts'
import { isVersionInRange } from './version.ts'

/** For which devices a variant was built. What is absent does not matter; what is there must all hold. */
export interface VariantCondition {
  readonly os?: string | undefined
  /** Distribution or edition, for example `debian`; one of them. */
  readonly id?: readonly string[] | undefined
  /** Range of the version of the operating system. */
  readonly version?: string | undefined
  readonly arch?: readonly string[] | undefined
}

export interface VariantRule {
  readonly id: string
  readonly when: VariantCondition
}

/** Why one variant does not fit: "needs arch arm64, this device has amd64". */
export interface VariantMiss {
  readonly variant: string
  readonly reason: string
}

export interface NotApplicable {
  readonly kind: 'not-applicable'
  readonly misses: readonly VariantMiss[]
}

/** The first variant whose condition holds, as the package lists them; otherwise why each one does not. */
export function chooseVariant<Variant extends VariantRule>(
  variants: readonly Variant[],
  facts: PackageFacts,
): Result<Variant, NotApplicable> {
  const misses: VariantMiss[] = []
  for (const variant of variants) {
    const reason = missOf(variant.when, facts)
    if (reason === undefined) return ok(variant)
    misses.push({ variant: variant.id, reason })
  }
  return refuse({ kind: 'not-applicable', misses })
}

/** The reason in one sentence for a receipt or a page. */
export function describeNotApplicable(refusal: NotApplicable): string {
  if (refusal.misses.length === 0) return 'The package has no variants.'
  return `No variant fits: ${refusal.misses.map((miss) => `${miss.variant} ${miss.reason}`).join('; ')}.`
}

/** One name per processor, as OCI images write it. Unknown names stay as they are. */
export function normaliseArch(arch: string): string {
  return archNames.get(arch.toLowerCase()) ?? arch.toLowerCase()
}

const archNames = new Map([
  ['x64', 'amd64'],
  ['x86_64', 'amd64'],
  ['aarch64', 'arm64'],
  ['x86', '386'],
  ['ia32', '386'],
])

function missOf(when: VariantCondition, facts: PackageFacts): string | undefined {
  const arch = textFact(facts, 'arch')
  return (
    missOfOneOf('os', when.os === undefined ? undefined : [when.os], textFact(facts, 'os')) ??
    missOfOneOf('os.id', when.id, textFact(facts, 'os.id')) ??
    missOfVersion(when.version, textFact(facts, 'os.version')) ??
    missOfOneOf('arch', when.arch?.map(normaliseArch), arch === undefined ? undefined : normaliseArch(arch))
  )
}

function missOfOneOf(name: string, wanted: readonly string[] | undefined, found: string | undefined) {
  if (wanted === undefined) return undefined
  if (found === undefined) return `needs ${name} ${wanted.join(' or ')}, which this device does not tell`
  return wanted.includes(found) ? undefined : `needs ${name} ${wanted.join(' or ')}, this device has ${found}`
}

function missOfVersion(range: string | undefined, found: string | undefined) {
  if (range === undefined) return undefined
  if (found === undefined) return `needs os.version ${range}, which this device does not tell`
  return isVersionInRange(found, range) ? undefined : `needs os.version ${range}, this device has ${found}`
}
