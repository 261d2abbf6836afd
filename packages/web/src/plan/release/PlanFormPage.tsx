import { ActionIcon, Button, Checkbox, Group, Select, Textarea, TextInput } from '@mantine/core'
import { useForm, type UseFormReturnType } from '@mantine/form'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { AudienceCount } from './AudienceCount.tsx'
import styles from './PlanFormPage.module.css'
import { PackageFields } from './PackageFields.tsx'
import { PhasesEditor } from './PhasesEditor.tsx'
import type { PlanDraft } from './release-plan.ts'
import { useAudienceCount } from './use-audience-count.ts'
import { orpc } from '#/api/client.ts'
import { AppLink, LinkButton } from '#/ui/AppLink.tsx'
import { Page } from '#/ui/Page.tsx'
import { problemFrom } from '#/ui/problem.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { SectionCard } from '#/ui/SectionCard.tsx'
import { newKey } from '#/ui/form/new-key.ts'

export type PlanForm = UseFormReturnType<PlanDraft>

const verifyLevels = [
  { value: '0', label: '0: delivered' },
  { value: '2', label: '2: present' },
  { value: '3', label: '3: every file intact' },
  { value: '4', label: '4: works (health check)' },
]

interface PlanFormPageProps {
  initial: PlanDraft
  title: string
  verb: string
  failed: string
  /** Where Cancel goes; without it to the list. */
  releaseId?: string
  save: (draft: PlanDraft) => Promise<{ releaseId: string }>
}

/** What is carried, to whom, in which phases. Nothing starts from here. */
export function PlanFormPage({ initial, title, verb, failed, releaseId, save }: PlanFormPageProps) {
  const form = useForm<PlanDraft>({ initialValues: initial })
  const navigate = useNavigate()
  const queries = useQueryClient()
  const count = useAudienceCount(form.values)
  const saving = useMutation({
    mutationFn: save,
    onSuccess: async (saved) => {
      await queries.invalidateQueries({ queryKey: orpc.plan.release.key() })
      await navigate({ to: '/releases/$releaseId', params: { releaseId: saved.releaseId } })
    },
    onError: (error) => form.setErrors({ ...problemFrom(error).fields }),
  })
  return (
    <Page title={title} trail={<AppLink to="/releases">Releases</AppLink>}>
      <form className={styles.form} onSubmit={form.onSubmit((draft) => saving.mutate(draft))}>
        {saving.error === null ? null : <ProblemAlert title={failed} error={saving.error} />}
        <SectionCard title="What">
          <WhatFields form={form} />
        </SectionCard>
        <SectionCard title="To whom" hint="A query over what is known of devices">
          <AudienceFields form={form} />
          <AudienceCount count={count} />
        </SectionCard>
        <SectionCard title="Phases" hint="A device belongs to the first phase whose query matches it">
          <PhasesEditor form={form} devices={count.preview?.phases.map((phase) => phase.devices)} />
        </SectionCard>
        <SectionCard title="On the device">
          <DeviceFields form={form} />
        </SectionCard>
        <Group justify="flex-end">
          {releaseId === undefined ? (
            <LinkButton variant="default" size="sm" to="/releases">
              Cancel
            </LinkButton>
          ) : (
            <LinkButton variant="default" size="sm" to="/releases/$releaseId" params={{ releaseId }}>
              Cancel
            </LinkButton>
          )}
          <Button type="submit" size="sm" loading={saving.isPending}>
            {verb}
          </Button>
        </Group>
      </form>
    </Page>
  )
}

function DeviceFields({ form }: { form: PlanForm }) {
  return (
    <>
      <VerifyFields form={form} />
      <details className={styles.advanced}>
        <summary>Advanced</summary>
        <Select
          size="sm"
          maw={420}
          label="Way back to an earlier release"
          allowDeselect={false}
          data={[
            { value: 'pre-authorised', label: 'Signed together with the Go: at once when needed' },
            { value: 'signed', label: 'Each needs the board’s signature' },
          ]}
          {...form.getInputProps('backOut')}
        />
        <Checkbox
          mt={12}
          label="May be removed where a device had no earlier version"
          {...form.getInputProps('mayRemove', { type: 'checkbox' })}
        />
      </details>
    </>
  )
}

function VerifyFields({ form }: { form: PlanForm }) {
  return (
    <Group align="end" gap={16}>
      <Select
        size="sm"
        w={260}
        label="Counts as verified at level"
        data={verifyLevels}
        allowDeselect={false}
        {...form.getInputProps('verifyLevel')}
      />
      <Checkbox
        mb={8}
        label="Return by itself when the health check fails"
        {...form.getInputProps('autoBackout', { type: 'checkbox' })}
      />
    </Group>
  )
}

function WhatFields({ form }: { form: PlanForm }) {
  return (
    <>
      <div className={styles.three}>
        <TextInput size="sm" label="Title" required withAsterisk={false} {...form.getInputProps('title')} />
        <TextInput size="sm" label="Version" required withAsterisk={false} {...form.getInputProps('version')} />
        <ProductLineField form={form} />
      </div>
      {form.values.packages.map((each, index) => (
        <PackageLine key={each.key} form={form} index={index} />
      ))}
      <Button
        mt={10}
        variant="default"
        leftSection={<IconPlus size={15} />}
        onClick={() => form.insertListItem('packages', { key: newKey(), name: '', version: '' })}
      >
        Add package
      </Button>
      <Textarea size="sm" mt={12} label="Objective" autosize minRows={2} {...form.getInputProps('objective')} />
    </>
  )
}

/** A release belongs to one product line; without any yet, the field says where they are made. */
function ProductLineField({ form }: { form: PlanForm }) {
  const lines = useQuery(orpc.estate.productLine.list.queryOptions({ input: { limit: 200 } }))
  const hasNone = lines.data?.items.length === 0
  const only = lines.data?.items.length === 1 ? lines.data.items[0]?.code : undefined
  const { setFieldValue } = form
  const isOpen = form.values.productLine === ''
  useEffect(() => {
    // Where there is nothing to choose, nobody is asked.
    if (only !== undefined && isOpen) setFieldValue('productLine', only)
  }, [only, isOpen, setFieldValue])
  return (
    <Select
      size="sm"
      label="Product line"
      searchable
      required
      allowDeselect={false}
      withAsterisk={false}
      data={(lines.data?.items ?? []).map((line) => ({ value: line.code, label: line.name }))}
      nothingFoundMessage="No product line of this name"
      description={
        hasNone ? (
          <>
            There is none yet.{' '}
            <AppLink to="/settings/$section" params={{ section: 'product-lines' }}>
              Add a product line
            </AppLink>
          </>
        ) : undefined
      }
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      {...form.getInputProps('productLine')}
    />
  )
}

function PackageLine({ form, index }: { form: PlanForm; index: number }) {
  return (
    <div className={styles.packageLine}>
      <PackageFields form={form} index={index} />
      {form.values.packages.length === 1 ? null : (
        <ActionIcon
          variant="subtle"
          color="gray"
          size={30}
          aria-label={`Remove package ${index + 1}`}
          onClick={() => form.removeListItem('packages', index)}
        >
          <IconTrash size={16} />
        </ActionIcon>
      )}
    </div>
  )
}

function AudienceFields({ form }: { form: PlanForm }) {
  return (
    <div className={styles.audience}>
      <TextInput
        size="sm"
        label="Audience"
        placeholder="os:linux site:leeds role:sales package.salesdesk<12"
        description="Empty means every device"
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        classNames={{ input: 'mono' }}
        {...form.getInputProps('query')}
        error={form.errors['audience.query'] ?? form.errors['query']}
      />
      <Select
        size="sm"
        label="Who is in it"
        allowDeselect={false}
        data={[
          { value: 'frozen', label: 'Fixed when the board is asked' },
          { value: 'dynamic', label: 'Also devices that match later' },
        ]}
        {...form.getInputProps('mode')}
      />
    </div>
  )
}
