import type { UploadRefusal } from '@bascule/content/blobs/blob-store.ts'
import { describeProblem, type PackageProblem } from '@bascule/content/oci/package-problem.ts'
import { unreachable } from '@bascule/domain/lib/result.ts'
import type { ORPCError } from '@orpc/server'
import type { RegisterRefusal } from './register-version.ts'

/** An error as the OCI distribution protocol writes it. */
export interface OciProblem {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly detail?: unknown
}

export function ociBody({ code, message, detail }: OciProblem) {
  return { errors: [{ code, message, ...(detail !== undefined && { detail }) }] }
}

export function problemOfUpload(refusal: UploadRefusal): OciProblem {
  switch (refusal.kind) {
    case 'no-such-upload':
      return { status: 404, code: 'BLOB_UPLOAD_UNKNOWN', message: 'There is no such upload.' }
    case 'busy':
      return { status: 409, code: 'BLOB_UPLOAD_INVALID', message: 'Another request is sending to this upload.' }
    case 'wrong-offset':
      return { status: 416, code: 'RANGE_INVALID', message: `The upload goes on at byte ${refusal.offset}.` }
    case 'too-large':
      return { status: 413, code: 'SIZE_INVALID', message: `A blob may have ${refusal.limitBytes} bytes at most.` }
    case 'digest-mismatch':
      return { status: 400, code: 'DIGEST_INVALID', message: `The bytes have the digest ${refusal.found}.` }
    case 'disk-full':
      return { status: 507, code: 'TOOMANYREQUESTS', message: 'The disk of the server is full.' }
    default:
      return unreachable(refusal)
  }
}

export function problemOfRegistration(refusal: RegisterRefusal): OciProblem {
  if (refusal.kind === 'refused') {
    const { fact, next } = refusal.refusal
    return { status: 409, code: 'DENIED', message: `${fact} ${next}`, detail: refusal.refusal }
  }
  const [first] = refusal.problems
  return {
    status: first?.rule === 'over-size' ? 413 : 400,
    code: first === undefined ? 'MANIFEST_INVALID' : codeOf(first),
    message: refusal.problems.map(describeProblem).join('; '),
    detail: refusal.problems,
  }
}

function codeOf({ rule }: PackageProblem): string {
  if (rule === 'missing-blob') return 'MANIFEST_BLOB_UNKNOWN'
  if (rule === 'digest-mismatch') return 'DIGEST_INVALID'
  return rule === 'size-mismatch' || rule === 'over-size' ? 'SIZE_INVALID' : 'MANIFEST_INVALID'
}

/** What the door or the platform threw, in the words of the protocol. */
export function problemOfError(error: ORPCError<string, unknown>): OciProblem {
  const code = error.status === 401 ? 'UNAUTHORIZED' : error.status === 403 ? 'DENIED' : 'UNKNOWN'
  return { status: error.status, code, message: error.message }
}
