/** Whoever is signed in, as much of them as this room needs. */
import type { AccountId } from 'transom-core/ports'

export interface Person {
  readonly accountId: AccountId
  readonly login: string
  readonly name: string
  readonly tenant?: string
}

export interface People {
  find(login: string, tenant?: string): Promise<Person | undefined>
  findByAccount(id: string): Promise<Person | undefined>
}
