import { roles as everyRole, soloRoles } from '@bascule/domain/estate/role.ts'
import { Button, Checkbox, PasswordInput, TextInput } from '@mantine/core'
import { useForm } from '@mantine/form'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { AuthCard } from './AuthCard.tsx'
import styles from './AuthCard.module.css'
import { client } from '#/api/client.ts'
import { sessionQuery, signIn } from '#/api/session.ts'
import { problemFrom } from '#/ui/problem.ts'
import { ProblemAlert } from '#/ui/ProblemAlert.tsx'
import { AppLink } from '#/ui/AppLink.tsx'

type SoloRole = (typeof soloRoles)[number]

interface Claim {
  name: string
  email: string
  password: string
  roles: SoloRole[]
}

const passwordLengthMin = 10

/** Where the one-time link of the first start leads. */
export function WelcomePage() {
  const { code } = useSearch({ from: '/welcome' })
  if (code === undefined) {
    return (
      <AuthCard
        title="Welcome"
        lead="The first start of the server prints a link with a code. Open that link to become its first administrator."
      >
        <AppLink to="/sign-in">I have an account already</AppLink>
      </AuthCard>
    )
  }
  return <ClaimForm code={code} />
}

function ClaimForm({ code }: { code: string }) {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const form = useForm<Claim>({
    mode: 'uncontrolled',
    initialValues: { name: '', email: '', password: '', roles: [...soloRoles] },
    validate: {
      password: (password) =>
        password.length < passwordLengthMin ? `Needs ${passwordLengthMin} characters or more` : null,
    },
  })
  const claim = useMutation({
    mutationFn: async (values: Claim) => {
      const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
      await client.platform.welcome.claim({ code, ...values, timeZone })
      return await signIn(values.email, values.password)
    },
    onSuccess: async (outcome) => {
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey })
      await navigate({ to: outcome.ok ? '/' : '/sign-in' })
    },
    onError: (error) => form.setErrors({ ...problemFrom(error).fields }),
  })
  return (
    <AuthCard title="Welcome to Bascule" lead="You become the first administrator. The link works once.">
      <form className={styles.fields} onSubmit={form.onSubmit((values) => claim.mutate(values))}>
        {claim.error === null ? null : <ProblemAlert title="The account was not made" error={claim.error} />}
        <TextInput
          size="sm"
          label="Your name"
          autoComplete="name"
          required
          withAsterisk={false}
          key={form.key('name')}
          {...form.getInputProps('name')}
        />
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
          description={`${passwordLengthMin} characters or more; a password manager may fill it`}
          autoComplete="new-password"
          required
          withAsterisk={false}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          key={form.key('password')}
          {...form.getInputProps('password')}
        />
        <fieldset className={styles.roles}>
          <legend>Also take on</legend>
          <p>
            An administrator decides about no release. While you are alone you need these roles too. In bigger houses
            they belong to different people: hand them over later under Settings, Roles.
          </p>
          <Checkbox.Group key={form.key('roles')} {...form.getInputProps('roles')}>
            {soloRoles.map((role) => (
              <Checkbox
                key={role}
                value={role}
                size="sm"
                label={everyRole[role].title}
                description={everyRole[role].purpose}
              />
            ))}
          </Checkbox.Group>
        </fieldset>
        <Button type="submit" size="sm" mt={6} loading={claim.isPending}>
          Become administrator
        </Button>
      </form>
    </AuthCard>
  )
}
