// Runs before the first paint so that a dark page never flashes white. A file of its own because the content security policy allows no inline script.
;(() => {
  let kept = null
  try {
    kept = localStorage.getItem('mantine-color-scheme-value')
  } catch {
    // Storage can be switched off; the system's choice is then the only one.
  }
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)').matches
  const isDark = kept === 'dark' || (kept !== 'light' && systemIsDark)
  document.documentElement.setAttribute('data-mantine-color-scheme', isDark ? 'dark' : 'light')
})()
