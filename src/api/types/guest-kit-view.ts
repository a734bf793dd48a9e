/** The forms in which the text that makes a guest's bonds can be had. */

/** `script` and `cloud-init` install the kit; the others configure one network manager without it. */
export const GUEST_KIT_FORMATS = ['script', 'cloud-init', 'nmcli', 'networkd', 'ifupdown'] as const;
export type GuestKitFormatView = (typeof GUEST_KIT_FORMATS)[number];
