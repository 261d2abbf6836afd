/** Fields left empty are not sent; the API then keeps or defaults them. */
export function withoutEmpty<Value extends Record<string, string>>(values: Value): Partial<Value> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== '')) as Partial<Value>
}

/** Fields that were emptied are sent as null: a change must be able to take something away. */
export function emptyAsNull(values: Readonly<Record<string, string>>): Record<string, string | null> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.trim() === '' ? null : value]))
}
