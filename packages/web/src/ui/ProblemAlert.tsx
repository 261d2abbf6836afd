import { Button } from '@mantine/core'
import { IconAlertTriangle, IconBan } from '@tabler/icons-react'
import styles from './ProblemAlert.module.css'
import { asSentence, problemFrom, type Problem } from './problem.ts'

interface ProblemAlertProps {
  /** What the person wanted: "The release could not be started". */
  title: string
  /** What a call threw, or a problem made by hand. */
  error: unknown
  onRetry?: (() => void) | undefined
}

/** What failed, what is safe, what to do; for a refusal the rule, the fact that broke it and who can lift it. */
export function ProblemAlert({ title, error, onRetry }: ProblemAlertProps) {
  const problem = isProblem(error) ? error : problemFrom(error)
  const IconOfProblem = problem.kind === 'refused' || problem.kind === 'forbidden' ? IconBan : IconAlertTriangle
  return (
    <div role="alert" className={styles.alert} data-kind={problem.kind}>
      <IconOfProblem size={18} stroke={2} aria-hidden />
      <div>
        <b>{title}</b>
        <p>
          {asSentence(problem.what)} {problem.fact}
        </p>
        {problem.lifter === undefined ? null : <p>Can be lifted by: {problem.lifter}.</p>}
        {problem.next === undefined ? null : <p>{problem.next}</p>}
        {problem.rule === undefined ? null : <p className="mono">Rule {problem.rule}</p>}
        {problem.reference === undefined ? null : <p className="mono">Reference {problem.reference}</p>}
        {onRetry === undefined ? null : (
          <Button variant="default" mt={8} onClick={onRetry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  )
}

function isProblem(error: unknown): error is Problem {
  return typeof error === 'object' && error !== null && 'kind' in error && 'what' in error
}
