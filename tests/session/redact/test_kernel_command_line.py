"""The command line of the kernel keeps its settings and loses what names a machine."""

from __future__ import annotations

import pytest

from session.redact.sessions import redacted

SETTINGS = (
    "ro quiet splash console=tty0 console=ttyS0,115200n8 loglevel=7 mitigations=off",
    "crashkernel=1G-4G:192M,4G-64G:256M isolcpus=managed_irq,2-5 nohz_full=2-5 hugepagesz=1G",
    "root=/dev/sda2 rootfstype=ext4 rootflags=subvol=@ init=/sbin/init panic=-1 oops=panic",
    "root=/dev/nvme0n1p2 resume=/dev/sda3 intel_iommu=on iommu=pt pci=nomsi,noaer acpi=force",
    "slub_debug=FZPU kasan.fault=report kfence.sample_interval=100 page_owner=on nokaslr",
    "demo.size=4096 demo.debug=y demo.level=0x1f demo.mode=auto memmap=64M$0x1000000",
    "modprobe.blacklist=nouveau,floppy dyndbg=+p ftrace_filter=vfs_* trace_event=sched:*",
    "BOOT_IMAGE=(hd0,gpt2)/vmlinuz-6.1.0-18-amd64 initrd=/initrd.img net.ifnames=0",
)


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("before", ["Kernel command line: ", "[    0.0] Command line: "])
def test_settings_stay_to_the_letter(before: str, settings: str) -> None:
    assert redacted(f"{before}{settings}\n") == f"{before}{settings}\n"


@pytest.mark.parametrize(
    ("argument", "kept"),
    [
        ("root=LABEL=quarry", "root=LABEL=volume-1"),
        ("root=PARTLABEL=quarry", "root=PARTLABEL=volume-1"),
        ("root=PARTUUID=12ab34cd-02", "root=PARTUUID=id-1"),
        ("root=ZFS=quarry/os", "root=ZFS=volume-1"),
        ("root=/dev/mapper/quarry-lv", "root=/dev/mapper/volume-1"),
        ("resume=/dev/quarry/lv1", "resume=/dev/volume-1"),
        ("rd.lvm.lv=quarry/lv1", "rd.lvm.lv=volume-1"),
        ("rd.luks.uuid=luks-quarry", "rd.luks.uuid=id-1"),
        ("rd.luks.key=/quarry:LABEL=q", "rd.luks.key=secret-1"),
        ("cryptdevice=/dev/sda2:quarry", "cryptdevice=volume-1"),
        ("hostname=quarry", "hostname=host-1"),
        ("systemd.hostname=quarry", "systemd.hostname=host-1"),
        ("ip=10.1.2.3::10.1.2.1:255.255.255.0:quarry:eth0:off",
         "ip=ip-1::ip-2:255.255.255.0:host-1:eth0:off"),
        ("ip=[2001:db8::5]:::64:quarry:eth0:off", "ip=[ip-1]:::64:host-1:eth0:off"),
        ("ip=quarry:::::eth0:dhcp", "ip=host-1:::::eth0:dhcp"),
        ("ip=dhcp", "ip=dhcp"),
        ("ip=eth0:dhcp", "ip=eth0:dhcp"),
        ("netconsole=6665@10.1.2.3/eth0,6666@10.1.2.4/52:54:00:ab:cd:ef",
         "netconsole=6665@ip-1/eth0,6666@ip-2/mac-1"),
        ("quarry_gateway=quarry7", "quarry_gateway=value-1"),
        ("demo.path=/srv/quarry", "demo.path=value-1"),
        ('demo.text="of quarry"', 'demo.text="value-1"'),
    ],
)  # fmt: skip
def test_a_value_that_names_something_goes_and_its_key_stays(argument: str, kept: str) -> None:
    line = "Kernel command line: ro {} quiet panic=10\n"
    assert redacted(line.format(argument)) == line.format(kept)


@pytest.mark.parametrize(
    "line",
    [
        "BOOT_IMAGE=/vmlinuz root=LABEL=quarry ro",
        "/proc/cmdline: ro root=LABEL=quarry",
        'Unknown kernel command line parameters "hostname=quarry", will be passed to user space.',
        "kexec -l /vmlinuz --append='ro root=LABEL=quarry'",
        '{"MESSAGE":"Command line: ro root=LABEL=quarry\\n[    0.1] lpj=1)"}',
    ],
)
def test_it_is_found_wherever_it_is_printed(line: str) -> None:
    assert "quarry" not in redacted(line)


def test_the_line_after_it_in_json_is_none_of_it() -> None:
    said = redacted('{"log":"Command line: ro\\n[    0.1] demo: mode=strange(lpj=abc)\\n"}')
    assert "mode=strange(lpj=abc)" in said
