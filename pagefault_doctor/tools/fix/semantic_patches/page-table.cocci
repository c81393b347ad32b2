// What a program asks to map is not compared with what there is.
@mapped exists@
identifier f, file, vma, size;
type F;
expression X;
position used;
@@
 f(F file, struct vm_area_struct *vma) {
   ... when != \(vma->vm_pgoff > X\|vma->vm_pgoff >= X\|vma->vm_pgoff < X\|vma->vm_pgoff != X\)
       when != \(size > X\|size >= X\|size < X\|size <= X\|size != X\|X < size\|X > size\)
       when != \(vma->vm_end - vma->vm_start > X\|vma_pages(vma) > X\|vma_pages(vma) != X\|vma->vm_end - vma->vm_start != X\)
   \(remap_pfn_range@used\|io_remap_pfn_range@used\|vm_insert_page@used\)(vma, ...)
   ... when any
 }

@script:python@
used << mapped.used;
vma << mapped.vma;
@@
tell(used, "page-table", "offset and size of the program's mapping are not compared with the region: vm_iomap_memory()")
