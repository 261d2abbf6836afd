// Runs before the first paint so that a dark page never flashes white and rows do not move. A file of its own because the content security policy allows no inline script.
;(() => {
  let kept = null
  let density = null
  try {
    kept = localStorage.getItem('mantine-color-scheme-value')
    density = localStorage.getItem('bascule.density')
  } catch {
    // Storage can be switched off; the system's choice is then the only one.
  }
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)').matches
  const isDark = kept === 'dark' || (kept !== 'light' && systemIsDark)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
  document.documentElement.setAttribute('data-density', density === '"comfortable"' ? 'comfortable' : 'compact')
})()
