import type { TufKey } from '@bascule/contract/device/protocol.ts'
import type { FeatureFactory } from '#/platform/feature.ts'
import { registerEnrolment } from './enrol.routes.ts'
import { createFleet, openFleet, type Fleet } from './fleet.ts'

declare module '#/platform/feature.ts' {
  interface Services {
    fleet: Fleet
  }
}

/** Devices: the fleet in memory and the door through which devices come in. */
export const deviceFeature: FeatureFactory = (services) => {
  const { database, now, bus, log, config } = services
  const fleet = createFleet({ database, now, checkInSeconds: config.checkInSeconds })
  services.fleet = fleet
  let directorKey: Promise<TufKey> | undefined
  return {
    routes(app) {
      registerEnrolment(app, {
        db: services.db,
        fleet,
        now,
        epoch: services.epoch,
        checkInSeconds: config.checkInSeconds,
        async firstRoot() {
          // A device that got none would trust the first one it sees, so this server makes sure that there is none.
          await services.repository.current()
          return services.repository.files.get('1.root.json') ?? null
        },
        async directorKey() {
          directorKey ??= services.signer.status().then((status) => status.directorKey)
          return await directorKey.catch((cause: unknown) => {
            directorKey = undefined
            throw new Error('Asking the signer for its key before a device enrols failed', { cause })
          })
        },
      })
    },
    start: async () => await openFleet(fleet, { bus, log }),
  }
}
