const DELIVERY_ID = /^msg_([0-9a-f]{32})$/;

/** `msg_` + 32 hex digits as the uuid that a row holds; undefined if it is no delivery's id. */
export function deliveryUuid(deliveryId: string): string | undefined {
  return DELIVERY_ID.exec(deliveryId)?.[1];
}

/** The inverse of {@link deliveryUuid}, for a uuid as PostgreSQL writes it. */
export function deliveryIdOf(uuid: string): string {
  return `msg_${uuid.replaceAll('-', '')}`;
}
