import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { AuthCard } from './AuthCard.tsx'
import styles from './AuthCard.module.css'
import { sessionQuery, signIn } from '#/api/session.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import type { Problem } from '#/ui/problem.ts'

/** Where the server sends a person whose one-time link opens nothing. */
const linkSpent: Problem = {
  kind: 'refused',
  what: 'A sign-in link opens once, for a short time, and with no role that its person was given later',
  next: 'Sign in with your password, or ask an administrator for a new link.',
}

export function SignInPage() {
  const { next, problem } = useSearch({ from: '/sign-in' })
  const navigate = useNavigate()
  const queries = useQueryClient()
  const form = useForm({ mode: 'uncontrolled', initialValues: { email: '', password: '' } })
  const attempt = useMutation({
    mutationFn: (values: { email: string; password: string }) => signIn(values.email, values.password),
    onSuccess: async (outcome) => {
      if (!outcome.ok) return
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey })
      await queries.fetchQuery(sessionQuery)
      await navigate({ to: next ?? '/' })
    },
  })
  return (
    <AuthCard title="Sign in" lead="Use the account of your organisation’s Bascule.">
      <form className={styles.fields} onSubmit={form.onSubmit((values) => attempt.mutate(values))}>
        {problem === 'link-spent' && attempt.data === undefined ? (
          <ProblemAlert title="This link opens nothing" error={linkSpent} />
        ) : null}
        {attempt.data?.ok === false ? (
          <ProblemAlert title="Not signed in" error={{ kind: 'refused', what: attempt.data.reason }} />
        ) : null}
        {attempt.error === null ? null : <ProblemAlert title="Not signed in" error={attempt.error} />}
        <TextInput
          size="sm"
          label="E-mail address"
          type="email"
          autoComplete="username"
          required
          withAsterisk={false}
          key={form.key('email')}
          {...form.getInputProps('email')}
        />
        <PasswordInput
          size="sm"
          label="Password"
          autoComplete="current-password"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <Button type="submit" size="sm" mt={6} loading={attempt.isPending}>
          Sign in
        </Button>
      </form>
    </AuthCard>
  )
}
