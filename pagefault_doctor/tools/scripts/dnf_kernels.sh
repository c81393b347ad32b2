# Prints the kernels that are installed, and the newest one that dnf knows.
form='%{name} %{version}-%{release}.%{arch}\n'
rpm -q --qf "installed $form" kernel-core kernel
dnf -q -C repoquery --latest-limit=1 --qf "candidate $form" kernel-core
:
