import type {
  ProductLineChange,
  ProductLineFilter,
  ProductLineInput,
  ProductLineView,
} from '@bascule/contract/estate/product-line.ts'
import type { Page } from '@bascule/contract/lib/paging.ts'
import type { ProductLineId } from '@bascule/domain/lib/ids.ts'
import { ok } from '@bascule/domain/lib/result.ts'
import type { Db } from '#/platform/db/database.ts'
import type { Call } from '#/platform/http/os.ts'
import { record } from '#/platform/ledger/record.ts'
import type { Fact } from '#/platform/ledger/record.ts'
import { allow } from '#/platform/lib/actor.ts'
import { notFound, refused } from '#/platform/lib/answer.ts'
import type { Answer } from '#/platform/lib/answer.ts'
import { newId } from '#/platform/lib/id.ts'
import { pageFrom } from '#/platform/lib/keyset.ts'
import { alreadyThere, changedMeanwhile, entityView, givenColumns } from '../lib/entity.ts'
import {
  findProductLineByCode,
  findProductLineById,
  findProductLines,
  incrementCounter,
  insertProductLine,
  lockProductLine,
  updateProductLine,
} from './product-line.store.ts'
import type { ProductLineRow, ProductLineTable } from './product-line.store.ts'

export type { ProductLineRow } from './product-line.store.ts'

/** The product line in force with this code: what new plans may name. */
export async function findProductLine(db: Db, code: string): Promise<ProductLineRow | undefined> {
  const row = await findProductLineByCode(db, code)
  return row?.retired_at === null ? row : undefined
}

/**
 * The number of the line's next release. Until the transaction ends no other gets one, and what was committed is never
 * given again. A retired line still counts on: what was planned before may start. Throws when there is no such line.
 */
export async function nextCounter(tx: Db, code: string): Promise<number> {
  const counter = await incrementCounter(tx, code)
  if (counter === undefined) throw new Error(`Counting the releases of ${code}: there is no such product line`)
  return counter
}

export async function listProductLines(db: Db, filter: ProductLineFilter): Promise<Page<ProductLineView>> {
  const rows = await findProductLines(db, filter)
  return pageFrom(rows, filter.limit, (row) => ({ key: row.name.toLowerCase(), id: row.id }), viewOf)
}

export async function getProductLine(db: Db, id: ProductLineId): Promise<Answer<ProductLineView>> {
  const row = await findProductLineById(db, id)
  return row === undefined ? notFound('product line') : ok(viewOf(row))
}

export async function createProductLine(call: Call, input: ProductLineInput): Promise<Answer<ProductLineView>> {
  const allowed = allow(call.actor, 'product-line.write', {})
  if (!allowed.ok) return allowed
  return await call.db.transaction().execute(async (tx) => {
    if (await findProductLineByCode(tx, input.code)) return refused(alreadyThere('a product line', 'code', input.code))
    const { code, name, boardName = null } = input
    const values = { id: newId<ProductLineId>(), code, name, board_name: boardName, created_at: call.now }
    const row = await insertProductLine(tx, values)
    await record(tx, factOf(call, 'product-line.created', undefined, row))
    return ok(viewOf(row))
  })
}

export async function changeProductLine(
  call: Call,
  { productLineId, version, ...input }: ProductLineChange,
): Promise<Answer<ProductLineView>> {
  return await changeLocked(call, productLineId, version, 'product-line.changed', columnsOf(input))
}

/** No new release is planned for a retired line; what is planned or running goes on. */
export async function retireProductLine(call: Call, id: ProductLineId): Promise<Answer<ProductLineView>> {
  return await changeLocked(call, id, undefined, 'product-line.retired', { retired_at: call.now })
}

async function changeLocked(
  call: Call,
  id: ProductLineId,
  version: number | undefined,
  did: string,
  change: Partial<ProductLineTable>,
): Promise<Answer<ProductLineView>> {
  const allowed = allow(call.actor, 'product-line.write', {})
  if (!allowed.ok) return allowed
  return await call.db.transaction().execute(async (tx) => {
    const before = await lockProductLine(tx, id)
    if (before === undefined) return notFound('product line')
    const refusal = changedMeanwhile(version, before)
    if (refusal) return refused(refusal)
    const after = await updateProductLine(tx, id, change as object)
    await record(tx, factOf(call, did, before, after))
    return ok(viewOf(after))
  })
}

type ProductLineValues = Omit<ProductLineChange, 'productLineId' | 'version'>

function columnsOf(input: ProductLineValues) {
  return givenColumns<ProductLineValues, Pick<ProductLineRow, 'name' | 'board_name'>>(input, {
    name: 'name',
    board_name: 'boardName',
  })
}

function factOf(call: Call, did: string, before: ProductLineRow | undefined, after: ProductLineRow): Fact {
  const subject = { kind: 'product-line', id: after.id }
  return { actor: call.actor, at: call.now, did, subject, before: before && viewOf(before), after: viewOf(after) }
}

function viewOf(row: ProductLineRow): ProductLineView {
  const { id, code, name, counter } = row
  return { id, code, name, boardName: row.board_name, counter, ...entityView(row) }
}
