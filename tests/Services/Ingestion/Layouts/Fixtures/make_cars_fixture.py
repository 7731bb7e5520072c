"""Makes cars-scipy.mat, the annotations of four made-up cars as scipy writes them: python3 make_cars_fixture.py"""
import numpy as np
from scipy.io import savemat
from scipy.sparse import eye

fields = ["relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"]
cars = np.zeros((1, 4), dtype=[(field, object) for field in fields])
for i in range(4):
    cars[0, i] = (f"car_ims/{i + 1:06}.jpg", 112.0, 7.5, 853.0, -70000.0, i // 2 + 1, i % 2)
names = np.empty((1, 2), dtype=object)
names[0, 0], names[0, 1] = "Škoda Octavia 2012", "Ram C/V Cargo Van 2012"
savemat("cars-scipy.mat", {"annotations": cars, "class_names": names, "sparse_is_skipped": eye(3)}, do_compression=True)
