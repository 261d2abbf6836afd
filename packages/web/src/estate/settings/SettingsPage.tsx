import { Link, useParams } from '@tanstack/react-router'
import { lazy, Suspense, type ComponentType, type LazyExoticComponent } from 'react'
import styles from './SettingsPage.module.css'
import { Loading } from '#/ui/Loading.tsx'
import { Page } from '#/ui/Page.tsx'
import { EmptyState } from '#/ui/EmptyState.tsx'

interface Section {
  key: string
  label: string
  content: LazyExoticComponent<ComponentType>
}

const sections: readonly Section[] = [
  {
    key: 'people',
    label: 'People',
    content: lazy(async () => ({ default: (await import('../people/PeopleSection.tsx')).PeopleSection })),
  },
  {
    key: 'org-units',
    label: 'Org units',
    content: lazy(async () => ({ default: (await import('../people/OrgUnitsSection.tsx')).OrgUnitsSection })),
  },
  {
    key: 'sites',
    label: 'Sites',
    content: lazy(async () => ({ default: (await import('../site/SitesSection.tsx')).SitesSection })),
  },
  {
    key: 'product-lines',
    label: 'Product lines',
    content: lazy(async () => ({
      default: (await import('../product-line/ProductLinesSection.tsx')).ProductLinesSection,
    })),
  },
  {
    key: 'services',
    label: 'Services',
    content: lazy(async () => ({ default: (await import('../service/ServicesSection.tsx')).ServicesSection })),
  },
  {
    key: 'queries',
    label: 'Saved queries',
    content: lazy(async () => ({ default: (await import('../device/AudiencesSection.tsx')).AudiencesSection })),
  },
  {
    key: 'absences',
    label: 'Absences',
    content: lazy(async () => ({ default: (await import('../people/AbsencesSection.tsx')).AbsencesSection })),
  },
  {
    key: 'roles',
    label: 'Roles',
    content: lazy(async () => ({ default: (await import('../people/RolesSection.tsx')).RolesSection })),
  },
  {
    key: 'enrolment',
    label: 'Enrolment',
    content: lazy(async () => ({ default: (await import('../device/EnrolmentSection.tsx')).EnrolmentSection })),
  },
  {
    key: 'api-keys',
    label: 'API keys',
    content: lazy(async () => ({ default: (await import('#/platform/ApiKeysSection.tsx')).ApiKeysSection })),
  },
  {
    key: 'ledger',
    label: 'Ledger',
    content: lazy(async () => ({ default: (await import('#/platform/LedgerSection.tsx')).LedgerSection })),
  },
  {
    key: 'health',
    label: 'Health',
    content: lazy(async () => ({ default: (await import('#/platform/HealthSection.tsx')).HealthSection })),
  },
]

/** Is it set up, safe and healthy? */
export function SettingsPage() {
  const { section: key } = useParams({ strict: false })
  const section = key === undefined ? sections[0] : sections.find((each) => each.key === key)
  return (
    <Page title="Settings">
      <div className={styles.columns}>
        <nav aria-label="Settings" className={styles.nav}>
          <ul>
            {sections.map((each) => (
              <li key={each.key}>
                <Link
                  to="/settings/$section"
                  params={{ section: each.key }}
                  aria-current={each === section ? 'page' : undefined}
                >
                  {each.label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <Suspense fallback={<Loading what="settings" />}>
          {section === undefined ? (
            <EmptyState>There is no such section. Choose one from the list.</EmptyState>
          ) : (
            <section.content />
          )}
        </Suspense>
      </div>
    </Page>
  )
}
