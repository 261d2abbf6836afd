export function PackagePage() {
  return null
}
