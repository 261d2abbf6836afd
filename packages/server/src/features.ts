import { decideFeature } from './decide/decide.feature.ts'
import { deliverFeature } from './deliver/deliver.feature.ts'
import { deviceFeature } from './estate/device/device.feature.ts'
import { libraryFeature } from './estate/library/library.feature.ts'
import type { FeatureFactory } from './platform/feature.ts'
import { ledgerFeature } from './platform/ledger/ledger.feature.ts'
import { outboxFeature } from './platform/outbox/outbox.feature.ts'

/** What the server does beside answering the contract, in the order in which it starts. A feature adds itself here, on one line. */
export const features: readonly FeatureFactory[] = [
  ledgerFeature,
  outboxFeature,
  libraryFeature,
  deviceFeature,
  decideFeature,
  deliverFeature,
]
