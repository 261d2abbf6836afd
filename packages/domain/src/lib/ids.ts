import type { Brand } from './brand.ts'

export type PersonId = Brand<string, 'person'>
export type OrgUnitId = Brand<string, 'org-unit'>
export type SiteId = Brand<string, 'site'>
export type AbsenceId = Brand<string, 'absence'>
export type RoleGrantId = Brand<string, 'role-grant'>
export type ApiKeyId = Brand<string, 'api-key'>
export type DeviceId = Brand<string, 'device'>
export type ReleaseId = Brand<string, 'release'>
export type CaseId = Brand<string, 'case'>
export type DraftId = Brand<string, 'draft'>
export type PackageId = Brand<string, 'package'>
export type ProductLineId = Brand<string, 'product-line'>
export type ConfigurationItemId = Brand<string, 'configuration-item'>
export type AudienceId = Brand<string, 'audience'>
export type EnrolmentTokenId = Brand<string, 'enrolment-token'>
export type ServiceId = Brand<string, 'service'>
export type SavedViewId = Brand<string, 'saved-view'>
export type BaselineId = Brand<string, 'baseline'>
