export const caseParameter = {
  kind: 'tuple',
  parameters: [{ brief: 'Case, for example CASE-0001', placeholder: 'case', parse: parseCase }],
} as const

export const reasonFlag = {
  reason: { kind: 'parsed', parse: String, brief: 'Why; it goes into the record' },
} as const

function parseCase(text: string): string {
  if (!/^CASE-\d{4,9}$/.test(text)) throw new Error('is not a case id, for example CASE-0001')
  return text
}
