import { api } from '@bascule/contract/api.ts'
import { minifyContractRouter } from '@orpc/contract'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/** Where a developer's server listens; the built files are served by the server itself. */
const apiOrigin = process.env['BASCULE_DEV_API'] ?? 'http://127.0.0.1:7400'

// A change must come from the server's own origin, and a developer's page comes from another port.
const toServer = { target: apiOrigin, headers: { origin: apiOrigin } }

const routesModule = 'virtual:api-routes'

/**
 * The browser needs the paths and methods of the contract, not its schemas: the server checks every input anyway,
 * and the schemas would cost more bytes than the whole shell.
 */
function apiRoutes(): Plugin {
  return {
    name: 'api-routes',
    resolveId: (id) => (id === routesModule ? `\0${routesModule}` : undefined),
    load: (id) =>
      id === `\0${routesModule}` ? `export const routes = ${JSON.stringify(minifyContractRouter(api))}` : undefined,
  }
}

export default defineConfig({
  plugins: [react(), apiRoutes()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    target: 'baseline-widely-available',
    // Inlined assets would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // The signing page is a build of its own, so that another machine can serve exactly its folder.
  builder: {},
  environments: {
    client: {},
    sign: {
      consumer: 'client',
      build: {
        outDir: 'dist/sign-page',
        manifest: false,
        rolldownOptions: { input: 'sign.html' },
      },
    },
  },
  server: { proxy: { '/api': toServer, '/v2': toServer, '/readyz': toServer } },
})
