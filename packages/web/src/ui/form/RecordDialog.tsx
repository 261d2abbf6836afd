import { Button, Group, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useEffect } from 'react'
import styles from './RecordDialog.module.css'
import { problemFrom } from '#/ui/problem.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'

/** One field of a record. Values are text; the caller turns them into the API's input. */
export interface Field {
  name: string
  label: string
  kind?: 'text' | 'email' | 'date' | 'number' | 'long-text' | 'choice'
  description?: string
  placeholder?: string
  options?: readonly { value: string; label: string }[]
  isRequired?: boolean
  initial?: string
}

export type Values = Readonly<Record<string, string>>

interface RecordDialogProps {
  isOpen: boolean
  onClose: () => void
  title: string
  verb: string
  fields: readonly Field[]
  error: unknown
  isBusy: boolean
  onSubmit: (values: Values) => void
}

/** Adds or changes one record. What the server finds wrong with a field stands at that field. */
export function RecordDialog(props: RecordDialogProps) {
  return (
    <Modal opened={props.isOpen} onClose={props.onClose} title={<b>{props.title}</b>}>
      {props.isOpen ? <RecordForm {...props} /> : null}
    </Modal>
  )
}

function RecordForm({ onClose, verb, fields, error, isBusy, onSubmit }: RecordDialogProps) {
  const form = useForm<Record<string, string>>({
    initialValues: Object.fromEntries(fields.map((field) => [field.name, field.initial ?? ''])),
  })
  const { setErrors } = form
  useEffect(() => {
    if (error !== null && error !== undefined) setErrors({ ...problemFrom(error).fields })
  }, [error, setErrors])
  return (
    <form className={styles.fields} onSubmit={form.onSubmit(onSubmit)}>
      {error === null || error === undefined ? null : <ProblemAlert title={`${verb}: not done`} error={error} />}
      {fields.map((field, index) => (
        <FieldInput key={field.name} field={field} isFirst={index === 0} inputProps={form.getInputProps(field.name)} />
      ))}
      <Group justify="flex-end" mt="xs">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={isBusy}>
          {verb}
        </Button>
      </Group>
    </form>
  )
}

interface FieldInputProps {
  field: Field
  isFirst: boolean
  inputProps: { value?: string; onChange: (value: unknown) => void; error?: unknown }
}

function FieldInput({ field, isFirst, inputProps }: FieldInputProps) {
  const common = {
    size: 'sm' as const,
    label: field.label,
    description: field.description,
    placeholder: field.placeholder,
    required: field.isRequired ?? false,
    withAsterisk: false,
    ...(isFirst ? { 'data-autofocus': true } : {}),
    ...inputProps,
    error: inputProps.error as string | undefined,
  }
  if (field.kind === 'choice') {
    return (
      <Select
        {...common}
        data={[...(field.options ?? [])]}
        searchable
        openOnFocus={false}
        allowDeselect={field.isRequired !== true}
        clearable={field.isRequired !== true}
        clearButtonProps={{ 'aria-label': `Clear ${field.label}` }}
        value={inputProps.value === '' ? null : (inputProps.value ?? null)}
        onChange={(value) => inputProps.onChange(value ?? '')}
      />
    )
  }
  if (field.kind === 'long-text') return <Textarea {...common} autosize minRows={2} />
  return <TextInput {...common} type={field.kind ?? 'text'} />
}
