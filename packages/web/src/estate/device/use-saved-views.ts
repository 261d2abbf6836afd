import { notifications } from '@mantine/notifications'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { FleetShown } from './fleet-address.ts'
import { showsOf, type SavedView } from './saved-view.ts'
import { client, orpc } from '#/api/client.ts'
import { problemFrom, problemWords } from '#/ui/problem.ts'

export function useSavedViews(): readonly SavedView[] {
  return useQuery(orpc.estate.savedView.list.queryOptions()).data ?? []
}

/** What can be done with saved views. Each answers with the view, once the list of them is fresh. */
export function useSavedViewActs() {
  const queries = useQueryClient()
  const refresh = () => queries.invalidateQueries({ queryKey: orpc.estate.savedView.key() })
  const create = useMutation({
    mutationFn: ({ name, shown }: { name: string; shown: FleetShown }) =>
      client.estate.savedView.create({ name, ...showsOf(shown) }),
    onSuccess: refresh,
  })
  const rename = useMutation({
    mutationFn: ({ view, name }: { view: SavedView; name: string }) =>
      client.estate.savedView.update({ savedViewId: view.id, version: view.version, name }),
    onSuccess: refresh,
  })
  const overwrite = useMutation({
    mutationFn: ({ view, shown }: { view: SavedView; shown: FleetShown }) =>
      client.estate.savedView.update({ savedViewId: view.id, version: view.version, shows: showsOf(shown) }),
    onSettled: refresh,
    onError: tell('The view was not saved'),
  })
  const remove = useMutation({
    mutationFn: (view: SavedView) => client.estate.savedView.remove({ savedViewId: view.id }),
    onSuccess: refresh,
    onError: tell('The view was not deleted'),
  })
  return { create, rename, overwrite, remove }
}

/** For acts without a dialog in which their problem could stand. */
export function tell(title: string): (error: unknown) => void {
  return (error) => {
    notifications.show({ title, message: problemWords(problemFrom(error)) })
  }
}
