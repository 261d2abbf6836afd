import { createTheme, defaultVariantColorsResolver, type MantineColorsTuple } from '@mantine/core'

/** Chrome is monochrome and hue always means state, so ink is the only colour of the house. */
const ink: MantineColorsTuple = [
  '#f3f5f7',
  '#e6eaee',
  '#cbd3da',
  '#adb8c3',
  '#8d9baa',
  '#6c7c8c',
  '#4d5d6d',
  '#36444f',
  '#232f3a',
  '#141c24',
]

const dark: MantineColorsTuple = [
  '#e7ebef',
  '#b4bec8',
  '#98a4b0',
  '#6d7a87',
  '#3c4650',
  '#2b333b',
  '#20262d',
  '#171c21',
  '#11151a',
  '#0b0e11',
]

export const theme = createTheme({
  primaryColor: 'ink',
  primaryShade: { light: 8, dark: 2 },
  autoContrast: true,
  luminanceThreshold: 0.45,
  colors: { ink, dark },
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'JetBrains Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.25rem' },
  lineHeights: { xs: '1.35', sm: '1.45', md: '1.5', lg: '1.5', xl: '1.4' },
  spacing: { xs: '0.5rem', sm: '0.75rem', md: '1rem', lg: '1.25rem', xl: '1.75rem' },
  defaultRadius: 6,
  cursorType: 'pointer',
  focusRing: 'auto',
  respectReducedMotion: true,
  // The kit computes contrast for one shade only. Our primary is ink on light and paper on dark, so its colours are variables.
  variantColorResolver: (input) =>
    input.variant === 'filled' && (input.color === undefined || input.color === 'ink')
      ? {
          background: 'var(--primary)',
          hover: 'var(--primary-hover)',
          color: 'var(--on-primary)',
          border: '1px solid transparent',
        }
      : defaultVariantColorsResolver(input),
  // By name and not through the components: a theme that imports them would put all of them into the shell.
  components: {
    Button: { defaultProps: { size: 'xs', fw: 550 } },
    Tooltip: {
      defaultProps: { openDelay: 250, fz: 'xs', events: { hover: true, focus: true, touch: true } },
    },
    // The kit's own size would be below the smallest that we write.
    Radio: { styles: { description: { fontSize: '0.75rem', color: 'var(--dim)' } } },
    Menu: { defaultProps: { shadow: 'md', position: 'bottom-end', width: 240 } },
    Modal: {
      defaultProps: {
        centered: true,
        radius: 10,
        closeButtonProps: { 'aria-label': 'Close' },
        // The head of a dialog is a <header> in the kit; beside the phone's own it would be a second banner of the page.
        attributes: { header: { role: 'none' } },
      },
    },
  },
})
