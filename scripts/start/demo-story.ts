/**
 * The organisation of the demo: a small chain of furniture shops. Everything here is invented; the software it rolls out
 * is real.
 */
export const sites = [
  'code,name,time_zone,country',
  'leeds,Leeds,Europe/London,GB',
  'porto,Porto,Europe/Lisbon,PT',
  'gdansk,Gdańsk,Europe/Warsaw,PL',
]

export const orgUnits = [
  'code,name,parent',
  'alder,Alder Furniture,',
  'shops,Shops,alder',
  'workshop,Workshop,alder',
  'it,IT,alder',
]

export const people = [
  'email,name,org_unit,site,job_role,language',
  'nadia.osei@alder.example,Nadia Osei,it,leeds,release manager,en',
  'tom.hale@alder.example,Tom Hale,it,leeds,engineer,en',
  'ines.prado@alder.example,Inês Prado,shops,porto,shop manager,pt',
  'marek.zielak@alder.example,Marek Zielak,workshop,gdansk,designer,pl',
  'ruth.bell@alder.example,Ruth Bell,alder,leeds,director,en',
  'joao.reis@alder.example,João Reis,it,porto,service desk,pt',
]

/** Who makes the demo: the first administrator, who also works as release manager until there is one. */
export const keeper = { name: 'Keeper of the demo', email: 'keeper@alder.example' }

/** Who decides about releases of the demo, two of three. The first also holds the first ceremony. */
export const boardCode = 'alder'
export const boardMembers = ['ruth.bell@alder.example', 'nadia.osei@alder.example', 'tom.hale@alder.example'] as const

/** E-mail and role, as in the table of roles that the server shows. */
export const roleGrants = [
  'email,role,org_unit,site',
  `${keeper.email},release-manager,,`,
  'nadia.osei@alder.example,release-manager,,',
  'tom.hale@alder.example,operations,,',
  ...boardMembers.map((email) => `${email},board-member,,`),
  `${boardMembers[0]},administrator,,`,
  'joao.reis@alder.example,service-desk,,porto',
]

export interface DemoDevice {
  readonly name: string
  readonly site: string
  readonly orgUnit: string
  readonly roles: readonly string[]
  /** What this device tells about itself besides what the agent finds. */
  readonly facts: Readonly<Record<string, string | number | boolean>>
}

export const devices: readonly DemoDevice[] = [
  {
    name: 'it-leeds-1',
    site: 'leeds',
    orgUnit: 'it',
    roles: ['pilot', 'office'],
    facts: { 'hardware.model': 'Desk 5', 'printer.attached': false },
  },
  {
    name: 'design-gdansk-1',
    site: 'gdansk',
    orgUnit: 'workshop',
    roles: ['design', 'builder'],
    facts: { 'hardware.model': 'Studio 2', 'display.count': 2 },
  },
  {
    name: 'design-gdansk-2',
    site: 'gdansk',
    orgUnit: 'workshop',
    roles: ['design', 'builder'],
    facts: { 'hardware.model': 'Studio 2', 'display.count': 1 },
  },
  {
    name: 'shop-leeds-1',
    site: 'leeds',
    orgUnit: 'shops',
    roles: ['shop'],
    facts: { 'hardware.model': 'Counter 3', 'printer.attached': true },
  },
  {
    name: 'shop-porto-1',
    site: 'porto',
    orgUnit: 'shops',
    roles: ['shop'],
    facts: { 'hardware.model': 'Counter 3', 'printer.attached': true },
  },
  {
    name: 'shop-porto-2',
    site: 'porto',
    orgUnit: 'shops',
    roles: ['shop'],
    facts: { 'hardware.model': 'Counter 1', 'printer.attached': false },
  },
]

export const productLine = { code: 'page-builder', name: 'Page builder' }

/** The release and its three phases; with people who watch, each soaks long enough to sign in, look and press Pause. */
export const planRelease = (soakSeconds: number) => ({
  title: 'Page builder',
  version: '0.28.2',
  productLine: productLine.code,
  objective: 'Shop pages build with the corrected source maps.',
  packages: [{ name: 'esbuild', version: '0.28.2' }],
  audience: { query: 'os:linux', mode: 'frozen' },
  verifyLevel: 4,
  phases: [
    { name: 'Pilot', query: 'role:pilot', soakSeconds, failureBudget: 1, inFlightMax: 1, advanceAtPermille: 1000 },
    {
      name: 'Designers',
      query: 'role:design',
      soakSeconds,
      failureBudget: 1,
      inFlightMax: 2,
      advanceAtPermille: 1000,
    },
    { name: 'Shops', query: '', soakSeconds, failureBudget: 1, inFlightMax: 2, advanceAtPermille: 1000 },
  ],
})
