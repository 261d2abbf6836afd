/** What this browser keeps for signing: its own keys, and the newest versions of signed files it has verified. */
const databaseName = 'bascule-signing'
const stores = { keys: 'keys', seen: 'seen' } as const
export type StoreName = keyof typeof stores

/** All values of a store. Throws when the browser keeps nothing, for example in a private window. */
export async function readAll<Value>(store: StoreName): Promise<Value[]> {
  return await within(store, 'readonly', (objects) => objects.getAll() as IDBRequest<Value[]>)
}

export async function readOne<Value>(store: StoreName, id: string): Promise<Value | undefined> {
  return await within(store, 'readonly', (objects) => objects.get(id) as IDBRequest<Value | undefined>)
}

/** Values carry their own `id`; one with the same id is replaced. */
export async function keep(store: StoreName, value: { readonly id: string }): Promise<void> {
  await within(store, 'readwrite', (objects) => objects.put(value))
}

export async function forget(store: StoreName, id: string): Promise<void> {
  await within(store, 'readwrite', (objects) => objects.delete(id))
}

async function within<Value>(
  store: StoreName,
  mode: IDBTransactionMode,
  act: (objects: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value> {
  const database = await open()
  try {
    const transaction = database.transaction(stores[store], mode)
    const request = act(transaction.objectStore(stores[store]))
    // A key that is not on disk yet must not be registered, so a write counts once its transaction is complete.
    await new Promise<void>((resolve, reject) => {
      transaction.addEventListener('complete', () => resolve())
      transaction.addEventListener('error', () => reject(storeFailed(transaction.error)))
      transaction.addEventListener('abort', () => reject(storeFailed(transaction.error)))
    })
    return request.result
  } finally {
    database.close()
  }
}

async function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(databaseName, 1)
  request.addEventListener('upgradeneeded', () => {
    for (const name of Object.values(stores)) request.result.createObjectStore(name, { keyPath: 'id' })
  })
  return await new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(storeFailed(request.error)))
  })
}

function storeFailed(cause: unknown): Error {
  return new Error('This browser could not read or write its own store of keys', { cause })
}
