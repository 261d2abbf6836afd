interface FactWords {
  actor: { kind: string; name: string }
  /** `rollout.paused` or plain words. */
  did: string
}

/** "Ines Marek: rollout paused". The ledger keeps acts as words, so a new kind of act needs no change here. */
export function factSentence({ actor, did }: FactWords): string {
  const words = did.replaceAll(/[.\-_]+/g, ' ').trim()
  return actor.kind === 'system' ? words.charAt(0).toUpperCase() + words.slice(1) : `${actor.name}: ${words}`
}
