import { deriveUuid, TITLE_KEYS, titleOf, uuidText } from './identity.ts';
import type { Digest } from '../../core/digest.ts';
import type { OvaOptions } from './ova.ts';

const VMDK_FORMAT = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';
/** "Debian 64-Bit" among CIM_OperatingSystem's types. */
const DEBIAN_64 = 96;

interface OvfInput {
  readonly name: string;
  readonly diskName: string;
  /** Of the virtual disk, in bytes. */
  readonly size: number;
  /** Of the disk's file, in bytes. */
  readonly length: number;
  /** Bytes of the disk that are in use. */
  readonly populated: number;
  readonly options: OvaOptions;
  readonly seed: Digest;
  readonly stamp: Readonly<Record<string, string>>;
}

/**
 * The appliance's descriptor (DMTF DSP0243 1.1.1). Children of Item and System come in the order of their names, as
 * the schemas of CIM_ResourceAllocationSettingData and CIM_VirtualSystemSettingData want.
 */
export function ovfDescriptor(input: OvfInput): string {
  const { name, options, stamp } = input;
  const memory = options.memory / 2 ** 20;
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"
  xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
  xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData">
  <References>
    <File ovf:id="file1" ovf:href="${input.diskName}" ovf:size="${input.length}"/>
  </References>
  <DiskSection>
    <Info>The disk</Info>
    <Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="${input.size}" ovf:populatedSize="${input.populated}"
      ovf:format="${VMDK_FORMAT}"/>
  </DiskSection>
  <NetworkSection>
    <Info>The networks</Info>
    <Network ovf:name="VM Network">
      <Description>The network that the machine is attached to</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>A virtual machine</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="${DEBIAN_64}">
      <Info>The operating system</Info>
      <Description>Debian GNU/Linux (64-bit)</Description>
    </OperatingSystemSection>
    <AnnotationSection>
      <Info>Where the image comes from</Info>
      <Annotation>${xml(
        sorted(stamp)
          .map(([key, value]) => `${key}=${value}`)
          .join('\n'),
      )}</Annotation>
    </AnnotationSection>
${product(stamp)}
    <VirtualHardwareSection>
      <Info>The virtual hardware</Info>
      <System>
        <vssd:ElementName>Virtual hardware</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${uuidText(deriveUuid(input.seed, 'ovf'))}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-10 virtualbox-2.2</vssd:VirtualSystemType>
      </System>
      <Item>
        <rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>
        <rasd:Description>Number of virtual CPUs</rasd:Description>
        <rasd:ElementName>${options.cpus} virtual CPU(s)</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>${options.cpus}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:Description>Memory size</rasd:Description>
        <rasd:ElementName>${memory} MiB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>${memory}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:Address>0</rasd:Address>
        <rasd:Description>SCSI controller</rasd:Description>
        <rasd:ElementName>SCSI controller 0</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>${options.controller}</rasd:ResourceSubType>
        <rasd:ResourceType>6</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:ElementName>Hard disk 1</rasd:ElementName>
        <rasd:HostResource>ovf:/disk/disk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>7</rasd:AddressOnParent>
        <rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>
        <rasd:Connection>VM Network</rasd:Connection>
        <rasd:ElementName>Network card 1</rasd:ElementName>
        <rasd:InstanceID>5</rasd:InstanceID>
        <rasd:ResourceSubType>${options.network_card}</rasd:ResourceSubType>
        <rasd:ResourceType>10</rasd:ResourceType>
      </Item>
    </VirtualHardwareSection>
  </VirtualSystem>
</Envelope>
`;
}

/** Name and version as a product; the stamp's other values as properties that nobody can change. */
function product(stamp: Readonly<Record<string, string>>): string {
  const { name, version } = titleOf(stamp);
  const lines = ['<Info>The image</Info>'];
  if (name !== undefined) lines.push(`<Product>${xml(name)}</Product>`);
  if (version !== undefined) lines.push(`<Version>${xml(version)}</Version>`);
  for (const [key, value] of sorted(stamp)) {
    if (TITLE_KEYS.has(key)) continue;
    // Keys may hold neither period nor colon (section 9.5.1).
    const attributes = `ovf:key="${xml(key.replace(/[.:]/g, '_'))}" ovf:type="string" ovf:userConfigurable="false"`;
    lines.push(`<Property ${attributes} ovf:value="${xml(value)}"/>`);
  }
  return `    <ProductSection>\n${lines.map((line) => `      ${line}\n`).join('')}    </ProductSection>`;
}

function sorted(stamp: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(stamp).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Text as XML 1.0 can carry it, in content and in attributes. */
function xml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
