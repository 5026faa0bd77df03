/** Buses that the boot disk may sit on; the guest's initramfs needs the driver. */
export const DISK_BUSES = ['virtio', 'virtio-scsi', 'nvme', 'ahci', 'ide', 'pvscsi'] as const;
export type DiskBus = (typeof DISK_BUSES)[number];
