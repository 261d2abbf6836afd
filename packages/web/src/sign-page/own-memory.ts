/** What this page has verified before, in this browser and under this name. */
export interface OwnMemory {
  /** `1.root.json` as it was first seen. */
  readonly anchor: string
  readonly anchorSha256: string
  /** When that was, as an instant. */
  readonly anchoredAt: string
  /** The newest root that the chain from the anchor led to. */
  readonly root: string
  readonly timestamp: number
  readonly snapshot: number
  /** Versions of every role file that a verified snapshot has named. */
  readonly roles: Readonly<Record<string, number>>
  /** SHA-256 of the documents that were read, as `<version>:<hash>`: one version never has two contents. */
  readonly contents: Readonly<Record<string, string>>
}

const [databaseName, storeName, recordName] = ['bascule-sign', 'memory', 'own']

/** The memory, or undefined when this browser sees the boards for the first time. */
export async function readMemory(): Promise<OwnMemory | undefined> {
  return await inStore('readonly', (store) => store.get(recordName) as IDBRequest<OwnMemory | undefined>)
}

export async function writeMemory(memory: OwnMemory): Promise<void> {
  await inStore('readwrite', (store) => store.put(memory, recordName))
}

async function inStore<T>(mode: IDBTransactionMode, action: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(databaseName, 1)
  opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(storeName))
  const database = await resultOf(opening)
  try {
    const transaction = database.transaction(storeName, mode, { durability: 'strict' })
    const result = await resultOf(action(transaction.objectStore(storeName)))
    if (mode === 'readwrite') await completed(transaction)
    return result
  } finally {
    database.close()
  }
}

async function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  request.addEventListener('success', () => resolve(request.result))
  request.addEventListener('error', () =>
    reject(new Error('Reading what this page remembers', { cause: request.error })),
  )
  return await promise
}

async function completed(transaction: IDBTransaction): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const failed = () => reject(new Error('Keeping what this page has verified', { cause: transaction.error }))
  transaction.addEventListener('complete', () => resolve())
  transaction.addEventListener('error', failed)
  transaction.addEventListener('abort', failed)
  await promise
}
