/** Where this browser keeps its own keys for signing. What it has seen of signed files is kept apart from them. */
const databaseName = 'bascule-keys'
const storeName = 'keys'

/** All values. Throws when the browser keeps nothing, for example in a private window. */
export async function readAll<Value>(): Promise<Value[]> {
  return await within('readonly', (objects) => objects.getAll() as IDBRequest<Value[]>)
}

/** Values carry their own `id`; one with the same id is replaced. */
export async function keep(value: { readonly id: string }): Promise<void> {
  await within('readwrite', (objects) => objects.put(value))
}

async function within<Value>(
  mode: IDBTransactionMode,
  act: (objects: IDBObjectStore) => IDBRequest<Value>,
): Promise<Value> {
  const database = await open()
  try {
    const transaction = database.transaction(storeName, mode)
    const request = act(transaction.objectStore(storeName))
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
    request.result.createObjectStore(storeName, { keyPath: 'id' })
  })
  return await new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(storeFailed(request.error)))
  })
}

function storeFailed(cause: unknown): Error {
  return new Error('This browser could not read or write its own store of keys', { cause })
}
