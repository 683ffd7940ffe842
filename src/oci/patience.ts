/**
 * What `work` brings, if it brings it in time; else what `otherwise` gives. The work goes on then, for the next one.
 * It must have its effects by itself: nobody hears how it ends.
 */
export async function withinPatience<T>(work: Promise<T>, milliseconds: number, otherwise: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = Symbol()
  const waited = new Promise<typeof late>((resolve) => {
    timer = setTimeout(resolve, milliseconds, late)
  })
  try {
    const first = await Promise.race([work, waited])
    if (first !== late) return first
    work.catch(() => {})
    return otherwise()
  } finally {
    clearTimeout(timer)
  }
}
