import '#/ui/mantine-css.ts'
import '#/ui/fonts.css'
import '#/ui/tokens.css'
import '#/ui/global.css'
import { MantineProvider } from '@mantine/core'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { lazy, StrictMode, Suspense } from 'react'
import { createRoot } from 'react-dom/client'
import { queryClient } from '#/api/query-client.ts'
import { router } from '#/app/router.ts'
import { theme } from '#/ui/theme.ts'

// Nothing is announced before the first act, so this need not delay the first picture.
const Notifications = lazy(async () => ({ default: (await import('@mantine/notifications')).Notifications }))

const place = document.getElementById('root')
if (place === null) throw new Error('index.html has no element called root')

createRoot(place).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <Suspense>
          <Notifications position="bottom-right" />
        </Suspense>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
)
