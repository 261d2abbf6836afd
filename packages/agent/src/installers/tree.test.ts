import { describeInstaller } from './installer.contract.ts'
import { treeInstaller } from './tree.ts'

describeInstaller('tree', (root) => treeInstaller(root))
