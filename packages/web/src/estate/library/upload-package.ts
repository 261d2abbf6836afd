import { ORPCError } from '@orpc/client'

export interface Uploaded {
  name: string
  version: string
  indexDigest: string
}

/** Said by the contract's `importPath`; importing it would bring the contract's schemas into the page. */
const importPath = '/api/library/import'

interface Upload {
  done: Promise<Uploaded>
  cancel: () => void
}

/** Sends the single tar of `bascule pack --out`. `fetch` cannot tell how far an upload is, so this is the older request. */
export function uploadPackage(file: File, onSent: (sentBytes: number) => void): Upload {
  const request = new XMLHttpRequest()
  const done = new Promise<Uploaded>((resolve, reject) => {
    request.upload.addEventListener('progress', (event) => onSent(event.loaded))
    request.addEventListener('load', () => {
      try {
        resolve(answerOf(request))
      } catch (error) {
        reject(error)
      }
    })
    request.addEventListener('error', () => reject(new Error('The connection broke while the package was sent')))
    request.addEventListener('abort', () => reject(new DOMException('The upload was stopped', 'AbortError')))
  })
  request.open('POST', importPath)
  request.setRequestHeader('content-type', 'application/x-tar')
  request.responseType = 'text'
  request.send(file)
  return { done, cancel: () => request.abort() }
}

function answerOf(request: XMLHttpRequest): Uploaded {
  const body = jsonFrom(request.responseText)
  if (request.status >= 200 && request.status < 300) return body as Uploaded
  const { code, message, data } = (body ?? {}) as { code?: string; message?: string; data?: unknown }
  throw new ORPCError(code ?? 'INTERNAL_SERVER_ERROR', {
    status: request.status,
    data,
    ...(message === undefined ? {} : { message }),
  })
}

function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy in between may answer with a page of its own; its status is all that can be told.
    return undefined
  }
}
