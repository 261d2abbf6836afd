import type { Release } from './cockpit-view.ts'
import { DigestText } from '#/ui/DigestText.tsx'
import { KeyValue } from '#/ui/KeyValue.tsx'
import { levelWords } from '#/ui/levels.ts'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

/** What is carried, to whom, and how sure a device must be. */
export function PackagesCard({ release }: { release: Release }) {
  return (
    <SectionCard title="What it carries">
      <KeyValue
        lines={[
          ...release.packages.map((each, index) => ({
            key: release.packages.length === 1 ? 'Package' : `Package ${index + 1}`,
            value: (
              <>
                <AppLink to="/library/$packageName" params={{ packageName: each.name }} fz="inherit">
                  {each.name}
                </AppLink>{' '}
                <span className="num">{each.version}</span>
              </>
            ),
          })),
          {
            key: 'Audience',
            value: (
              <span className="mono">{release.audience.query === '' ? 'every device' : release.audience.query}</span>
            ),
          },
          {
            key: 'Verified means',
            value: levelWords(release.verifyLevel),
          },
          {
            key: 'When the health check fails',
            value: release.autoBackout ? 'the device returns by itself' : 'the device waits for an engineer',
          },
          {
            key: 'Way back',
            value:
              release.backOut === 'signed'
                ? 'each needs the board’s signature'
                : 'to earlier live releases at once, signed with the Go',
          },
          {
            key: 'Removal',
            value: release.mayRemove ? 'where a device had no earlier version' : 'never by order of the server',
          },
          {
            key: 'Manifest',
            value:
              release.manifestSha256 === null ? (
                'fixed when the board is asked'
              ) : (
                <DigestText digest={release.manifestSha256} />
              ),
          },
          ...(release.objective === '' ? [] : [{ key: 'Objective', value: release.objective }]),
        ]}
      />
    </SectionCard>
  )
}
