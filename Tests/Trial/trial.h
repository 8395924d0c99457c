// What is tried; each returns how many values were wrong, or -1 if it could not be tried.
int lost_registers(void);
int changed_files(void);
