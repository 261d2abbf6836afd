import type { WrappedKey } from '@bascule/contract/decide/member-key.ts'
import type { Refusal } from '@bascule/domain/lib/result.ts'

/** What this page says to the window that opened it, each once at most. */
export type Answer =
  | { readonly type: 'ready' }
  | {
      readonly type: 'signed'
      readonly draftId: string
      readonly signatures: readonly { readonly role: string; readonly keyid: string; readonly sig: string }[]
    }
  | { readonly type: 'said'; readonly signature: { readonly keyid: string; readonly sig: string } }
  | { readonly type: 'key'; readonly publicKey: string; readonly wrapped: WrappedKey; readonly proof: string }
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | { readonly type: 'cancelled' }
