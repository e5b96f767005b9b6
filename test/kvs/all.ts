/** Everything that the source yields until it ends. */
export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const got: T[] = []
  for await (const one of source) got.push(one)
  return got
}
