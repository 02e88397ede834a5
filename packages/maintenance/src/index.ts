export type { Inventory, InventoryCopy } from "./inventory.ts";
