declare const brand: unique symbol

/** A string or number that only the contract's schemas make, so that a device id is never taken for a person's. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }
