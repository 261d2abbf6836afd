/** What JSON.stringify writes for U+0000 and for half a surrogate pair, and for nothing else. */
const unstorable = /\\u(?:0000|d[89a-f])/

/**
 * The same value in a form that PostgreSQL stores: it takes neither U+0000 nor half a surrogate pair. A device that
 * quotes the output of a program may send both, and a refusal would make it send the same thing for ever.
 */
export function storable<Value>(value: Value): Value {
  const text = JSON.stringify(value)
  if (text === undefined || !unstorable.test(text)) return value
  return JSON.parse(text, (_name, inner: unknown) =>
    typeof inner === 'string' ? inner.toWellFormed().replaceAll('\0', '\uFFFD') : inner,
  ) as Value
}
