"""Whose memory an object is, by the slab cache that it is of: the kernel names caches after what
they hold (`kmem_cache_create` in the files below, `proto_register` for sockets, net/core/sock.c).

`kmalloc-*` and the like are of everybody, and tell nothing. Caches of equal objects may be one
(`mm/slab_common.c`, find_mergeable): then it bears the name of the first of them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec

from pagefault_doctor.model.report import Report

_DETAILS: Final = ("cache", "usercopy_cache")


class ObjectCache(msgspec.Struct, frozen=True):
    """A slab cache, what it holds in words, and the file or folder (with `/`) that made it."""

    name: str
    holds: str
    path: str

    def is_of(self, place: str) -> bool:
        """Whether a file or folder of the tree lies where the cache is made."""
        folder = self.path if self.path.endswith("/") else f"{self.path.rpartition('/')[0]}/"
        return f"{place}/".startswith(folder)


def of_report(report: Report) -> ObjectCache | None:
    """Return the cache of the object that a report names, None where that tells nothing."""
    named = (report.details[name] for name in _DETAILS if name in report.details)
    return next(filter(None, map(find, named)), None)


def find(name: str) -> ObjectCache | None:
    """Return a cache by its name, None where everybody's memory has that or it is not known."""
    if row := _exact().get(name):
        return ObjectCache(name, *row)
    # Whatever stands in front of it, the longest beginning counts.
    begins = (begin for begin in _beginnings() if name.startswith(begin))
    longest = max(begins, key=len, default=None)
    return ObjectCache(name, *_beginnings()[longest]) if longest else None


@cache
def _exact() -> dict[str, tuple[str, str]]:
    return {name: row for name, row in _names() if not name.endswith("*")}


@cache
def _beginnings() -> dict[str, tuple[str, str]]:
    return {name[:-1]: row for name, row in _names() if name.endswith("*")}


def _names() -> list[tuple[str, tuple[str, str]]]:
    rows = ((names, (holds, path)) for holds, path, names in _TABLE)
    return [(name, row) for names, row in rows for name in names.split()]


_TABLE: Final = (
    # File systems
    ("file system 9p", "fs/9p/", "v9fs_*"),
    ("file system btrfs", "fs/btrfs/", "btrfs_*"),
    ("file system ceph", "fs/ceph/", "ceph_*"),
    ("file system cifs", "fs/smb/client/", "cifs_* smb_*"),
    ("file system ecryptfs", "fs/ecryptfs/", "ecryptfs_*"),
    ("file system erofs", "fs/erofs/", "erofs_*"),
    ("file system exfat", "fs/exfat/", "exfat_*"),
    ("file system ext2", "fs/ext2/", "ext2_*"),
    ("file system ext4", "fs/ext4/", "ext4_*"),
    ("file system f2fs", "fs/f2fs/", "f2fs_*"),
    ("file system fat", "fs/fat/", "fat_*"),
    ("file system fuse", "fs/fuse/", "fuse_*"),
    ("file system gfs2", "fs/gfs2/", "gfs2_*"),
    ("file system hfsplus", "fs/hfsplus/", "hfsplus_*"),
    ("file system isofs", "fs/isofs/", "isofs_*"),
    ("file system jffs2", "fs/jffs2/", "jffs2_*"),
    ("file system jfs", "fs/jfs/", "jfs_*"),
    ("file system nfs", "fs/nfs/", "nfs_*"),
    ("file system nilfs2", "fs/nilfs2/", "nilfs2_*"),
    ("file system ntfs3", "fs/ntfs3/", "ntfs_*"),
    ("file system ocfs2", "fs/ocfs2/", "ocfs2_*"),
    ("file system overlayfs", "fs/overlayfs/", "ovl_*"),
    ("file system squashfs", "fs/squashfs/", "squashfs_*"),
    ("file system ubifs", "fs/ubifs/", "ubifs_*"),
    ("file system udf", "fs/udf/", "udf_*"),
    ("file system xfs", "fs/xfs/", "xfs_*"),
    ("journal of ext4 (jbd2)", "fs/jbd2/", "jbd2_*"),
    ("NFS server", "fs/nfsd/", "nfsd_* nfsd4_*"),
    ("tmpfs and shared memory", "mm/shmem.c", "shmem_inode_cache"),
    ("huge page file system", "fs/hugetlbfs/", "hugetlbfs_inode_cache"),
    ("/proc code", "fs/proc/", "proc_inode_cache proc_dir_entry pde_opener"),
    ("sysfs and kernfs code", "fs/kernfs/", "kernfs_*"),
    ("epoll code", "fs/eventpoll.c", "eventpoll_*"),
    ("watches of files (fsnotify)", "fs/notify/", "fsnotify_* inotify_* dnotify_* fanotify_*"),
    ("asynchronous I/O (aio)", "fs/aio.c", "aio_kiocb kioctx kiocb"),
    ("userfaultfd code", "fs/userfaultfd.c", "userfaultfd_*"),
    ("file locks", "fs/locks.c", "file_lock_cache file_lock_ctx file_lease_cache"),
    ("directory entries (VFS)", "fs/dcache.c", "dentry dentry_cache"),
    ("inodes (VFS)", "fs/inode.c", "inode_cache"),
    ("open files (VFS)", "fs/file_table.c", "filp bfilp"),
    ("file-system layer (VFS)", "fs/", "names_cache mnt_cache buffer_head seq_file"),
    # Disks
    ("block devices", "block/bdev.c", "bdev_cache"),
    ("block layer", "block/", "bio-* biovec-* request_queue blkdev_* bio_integrity_*"),
    ("I/O scheduler bfq", "block/bfq-iosched.c", "bfq_*"),
    ("SCSI code", "drivers/scsi/", "scsi_*"),
    ("SCSI disks (sd)", "drivers/scsi/sd.c", "sd_*"),
    ("device mapper", "drivers/md/dm.c", "dm_* dm-*"),
    ("software RAID", "drivers/md/raid5.c", "raid5-* raid4-* raid6-*"),
    ("driver qla2xxx", "drivers/scsi/qla2xxx/", "qla2xxx_*"),
    ("io_uring code", "io_uring/", "io_kiocb io_buffer"),
    # Network
    ("TCP", "net/ipv4/tcp.c", "TCP TCPv6 tw_sock_TCP* request_sock_TCP* tcp_*"),
    ("UDP", "net/ipv4/udp.c", "UDP UDPv6 UDP-Lite UDPLITEv6"),
    ("raw and ping sockets", "net/ipv4/raw.c", "RAW RAWv6 PING PINGv6"),
    ("local sockets (AF_UNIX)", "net/unix/", "UNIX UNIX-STREAM unix_*"),
    ("packet sockets", "net/packet/", "PACKET"),
    ("MPTCP", "net/mptcp/", "MPTCP MPTCPv6 mptcp_* request_sock_subflow*"),
    ("SCTP", "net/sctp/", "SCTP SCTPv6 sctp_*"),
    ("DCCP", "net/dccp/", "DCCP DCCPv6 dccp_*"),
    ("TIPC", "net/tipc/", "TIPC tipc_*"),
    ("sockets", "net/socket.c", "sock_inode_cache"),
    ("packet buffers of the network", "net/core/skbuff.c", "skbuff_*"),
    ("network namespaces", "net/core/net_namespace.c", "net_namespace"),
    ("IPv4 code", "net/ipv4/", "ip_dst_cache ip_fib_* inet_peer_cache ip4-frags ip_mrt_cache"),
    ("IPv6 code", "net/ipv6/", "fib6_* ip6_* ip6-frags mrt6_cache"),
    ("IPsec code (xfrm)", "net/xfrm/", "xfrm_* secpath_cache"),
    ("connection tracking", "net/netfilter/nf_conntrack_core.c", "nf_conntrack*"),
    ("packet filter (netfilter)", "net/netfilter/", "nf_* nft_* xt_* ip_set_*"),
    ("load balancer (IPVS)", "net/netfilter/ipvs/", "ip_vs_*"),
    ("network bridge", "net/bridge/", "bridge_*"),
    ("Open vSwitch", "net/openvswitch/", "sw_flow*"),
    ("RPC code of NFS (sunrpc)", "net/sunrpc/", "rpc_*"),
    # Processes and memory
    ("processes (kernel/fork.c)", "kernel/fork.c", "task_struct mm_struct signal_cache"),
    ("processes (kernel/fork.c)", "kernel/fork.c", "sighand_cache files_cache fs_cache"),
    ("signal code", "kernel/signal.c", "sigqueue"),
    ("credentials", "kernel/cred.c", "cred_jar cred"),
    ("key code", "security/keys/", "key_jar"),
    ("process numbers", "kernel/pid.c", "pid pid_2 pid_3"),
    ("POSIX timers", "kernel/time/posix-timers.c", "posix_timers_cache"),
    ("memory management", "mm/vma.c", "vm_area_struct vma_lock"),
    ("memory management", "mm/rmap.c", "anon_vma anon_vma_chain"),
    ("memory policies (NUMA)", "mm/mempolicy.c", "numa_policy shared_policy_node"),
    ("vmalloc code", "mm/vmalloc.c", "vmap_area"),
    ("same-page merging (KSM)", "mm/ksm.c", "ksm_*"),
    ("compressed swap (zswap)", "mm/zswap.c", "zswap_entry"),
    ("compressed memory (zsmalloc)", "mm/zsmalloc.c", "zs_handle* zspage*"),
    ("System V and POSIX IPC code", "ipc/", "mqueue_inode_cache"),
    ("tracing code", "kernel/trace/", "ftrace_event_field trace_event_file"),
    # Drivers and the rest
    ("virtual machines (KVM)", "virt/kvm/", "kvm_* pte_list_desc x86_emulator"),
    ("driver i915", "drivers/gpu/drm/i915/", "i915_*"),
    ("driver amdgpu", "drivers/gpu/drm/amd/amdgpu/", "amdgpu_*"),
    ("jobs of graphics chips (DRM)", "drivers/gpu/drm/scheduler/", "drm_sched_*"),
    ("driver mlx5_core", "drivers/net/ethernet/mellanox/mlx5/core/", "mlx5_*"),
    ("IOMMU code", "drivers/iommu/", "iommu_*"),
    ("ACPI code", "drivers/acpi/acpica/", "Acpi-*"),
    ("SELinux", "security/selinux/", "selinux_* avc_* ebitmap_node"),
    ("security modules (LSM)", "security/security.c", "lsm_*"),
    ("UBI", "drivers/mtd/ubi/", "ubi_*"),
)
"""What a cache holds, where it is made, and how such caches are called; `*` stands for any rest."""
