/** Which roles get a module. `*` is everybody. */
export interface ModuleRule {
  readonly name: string
  readonly roles: readonly string[]
  /** Whether a device to which nobody gave a role gets it. */
  readonly default: boolean
}

/** The release may give a module to other roles than the package says. */
export interface ModuleOverride {
  readonly name: string
  readonly roles: readonly string[]
}

/**
 * The modules a device with these roles gets, in the order of the package. A role named in the release replaces the
 * package's own rule for that module, including what happens without any role.
 */
export function chooseModules<Module extends ModuleRule>(
  modules: readonly Module[],
  roles: readonly string[],
  overrides: readonly ModuleOverride[] = [],
): Module[] {
  return modules.filter((module) => {
    const override = overrides.find((entry) => entry.name === module.name)
    const wanted = override?.roles ?? module.roles
    if (wanted.includes('*')) return true
    if (roles.length === 0) return override === undefined && module.default
    return wanted.some((role) => roles.includes(role))
  })
}
