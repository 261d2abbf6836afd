/** Fields left empty are not sent; the API then keeps or defaults them. */
export function withoutEmpty<Value extends Record<string, string>>(values: Value): Partial<Value> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value.trim() !== '')) as Partial<Value>
}
